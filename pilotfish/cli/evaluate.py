"""`eval`: a file of answers against a file of right ones, as a table, JSON and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pilotfish.cli.context import Context, emit, guarded
from pilotfish.cli.output import writable
from pilotfish.cli.progress import Meter
from pilotfish.errors import InputError
from pilotfish.files import write_text

if TYPE_CHECKING:
    from pipeline.evaluation.files import Joined
    from pipeline.evaluation.report import Setup
    from pipeline.evaluation.rows import Measured, Tools


def register(app: typer.Typer) -> None:
    app.command("eval")(evaluate)


def evaluate(
    context: typer.Context,
    answers: Annotated[Path, typer.Argument(help="Answers as batch writes them: .jsonl or -.")],
    gold: Annotated[
        Path, typer.Argument(help="Right ones: {id, answers} or {id, unanswerable: true}.")
    ],
    against: Annotated[
        Path | None, typer.Option(help="Answers of another run, to compare with.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Page to write: one file.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="JSON to write (- for stdout).")
    ] = None,
    right: Annotated[
        Literal["match", "contains"],
        typer.Option(help="What counts as right: match (exact, or F1 of 0.8), or contains."),
    ] = "match",
    idf: Annotated[bool, typer.Option("--idf", help="Weigh BERTScore's tokens by idf.")] = False,
    no_models: Annotated[
        bool, typer.Option("--no-models", help="Leave out BERTScore and citations.")
    ] = False,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Measure only ids that stand in every file.")
    ] = False,
    worst: Annotated[int, typer.Option(min=0, max=1000, help="Cases on the page.")] = 20,
) -> None:
    """Measure answers: right, sure, cited, and at what cost."""
    options: Context = context.obj
    with guarded(options):
        _writable((answers, gold, against), (html, output))
        options.attach()
        setup, joined, others = _read(
            (answers, gold, against), {"rule": right, "idf": idf}, skip_missing
        )
        tools, setup = (_no_tools(), setup) if no_models else _tools(options, setup)
        run = _measured(options, joined, tools, setup)
        other = None if others is None else _measured(options, others, tools, setup)
        from pipeline.evaluation.report import report

        made = report(setup, joined, run, other)
        if html is not None:
            from pipeline.evaluation.report_html import page

            write_text(html, page(made, run.rows, worst))
        _show(options, made, output)


def _writable(sources: tuple[Path | None, ...], outputs: tuple[Path | None, ...]) -> None:
    """Said before anything is measured; a report may overwrite none of the files it is made of."""
    if sum(str(source) == "-" for source in sources) > 1:
        raise InputError("two files cannot both be -: give one of them a name")
    if str(outputs[0]) == "-":
        raise InputError("--html - would mix a page with data: name a file")
    for output in filter(None, outputs):
        for source in filter(None, sources):
            if output.exists() and source.exists() and output.samefile(source):
                raise InputError(f"{output} is one of the files that are read: name another")
            writable(source, output)
    if outputs[0] is not None and outputs[0] == outputs[1]:
        raise InputError(f"--html and -o both name {outputs[0]}: give each its own file")


def _read(
    files: tuple[Path, Path, Path | None], rules: dict[str, Any], skip: bool
) -> tuple[Setup, Joined, Joined | None]:
    """What is measured, the same ids on all sides. InputError says all that does not fit."""
    from pipeline.evaluation.files import common, join, matched, read_gold, read_replies
    from pipeline.evaluation.report import Setup

    (source, replies), (truth, wanted) = read_replies(files[0]), read_gold(files[1])
    joined = join(replies, wanted)
    matched(joined, source, truth, skip)
    if files[2] is None:
        return Setup(source, truth, **rules), joined, None
    second, theirs = read_replies(files[2])
    others = join(theirs, wanted)
    matched(others, second, truth, skip)
    joined, others = common(joined, others, source, second)
    return Setup(source, truth, second, **rules), joined, others


def _no_tools() -> Tools:
    from pipeline.evaluation.rows import Tools

    return Tools()


def _tools(options: Context, setup: Setup) -> tuple[Tools, Setup]:
    """The small models, loaded; encoder and cross-encoder are those that are configured."""
    from dataclasses import replace

    from models.encoder import Encoder
    from models.pilot.chosen import chosen
    from models.token_vectors import TokenEncoder
    from pipeline.evaluation.judge import judge_name, window_judge
    from pipeline.evaluation.rows import Tools
    from pipeline.parts import Memo

    settings = options.settings()
    tokens = TokenEncoder(settings.encoder, threads=settings.threads)
    model = chosen(settings.judge, settings.reranker, settings.threads)
    judge = window_judge(Memo(Encoder(settings.encoder, threads=settings.threads)), model)
    named = replace(setup, encoder=tokens.name, judge=judge_name(settings.judge))
    return Tools(tokens, judge, setup.idf), named


def _measured(options: Context, joined: Joined, tools: Tools, setup: Setup) -> Measured:
    from pipeline.evaluation.rows import measured

    with Meter(options, "answers", len(joined.pairs)) as meter:
        return measured(joined.pairs, tools, setup.rule, meter.tick)


def _show(options: Context, made: dict[str, Any], output: Path | None) -> None:
    if output is not None and str(output) != "-":
        write_text(output, json.dumps(made, ensure_ascii=False, indent=1) + "\n")
    if options.json or str(output) == "-":
        emit(made)
        return
    from pilotfish.cli.evaluate_table import tell

    tell(options, made)
