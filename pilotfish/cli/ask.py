"""`ask`: one question, the answer with its citations, support and receipt."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from pilotfish.cli.context import Context, emit, guarded
from pilotfish.cli.place import place_of
from pilotfish.cli.search import KindName, Where, kind_of, note_behind
from pilotfish.errors import InputError
from pilotfish.files import decoded
from pilotfish.text import shorten
from pilotfish.types import (
    Answer,
    Case,
    Cells,
    Citation,
    Limits,
    Question,
    Receipt,
    Scope,
    Span,
    Triple,
)

Model = Annotated[str | None, typer.Option("--model", help="LiteLLM model name for this call.")]
Effort = Annotated[
    float | None,
    typer.Option("--effort", help="0: small models only ... 1: the strongest LLM always."),
]
RecipeName = Annotated[str, typer.Option("--recipe", help="default, or one of pilotfish recipes.")]
MaxError = Annotated[
    float | None,
    typer.Option("--max-error", help="At most this share of given answers wrong, such as 0.05."),
]


def register(app: typer.Typer) -> None:
    app.command("ask")(ask)


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="The question, or - for stdin.")],
    where: Where = None,
    table: Annotated[str | None, typer.Option(help="Look in the table of this id.")] = None,
    topic: Annotated[str | None, typer.Option(help="Look in the graph, from this entity.")] = None,
    kind: KindName = None,
    model: Model = None,
    recipe: RecipeName = "default",
    max_error: MaxError = None,
    effort: Effort = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show every step with its time.")] = False,
) -> None:
    """Answer one question from the documents, each sentence cited."""
    options: Context = context.obj
    with guarded(options):
        text = _standard_input() if question == "-" else question
        if not text.strip():
            raise InputError("the question is empty: ask something")
        library = options.library(**model_override(model))
        note_behind(options, library)
        if table is not None:
            from pipeline.attaching import check_table

            check_table(library, table)
        note_promise(options, library, recipe, max_error)
        from pilotfish.step import receipt
        from pipeline.outputs import case_json

        started = time.perf_counter()
        scope = Scope(library.settings.collection, kind_of(kind), table, topic, where)
        asked = Question(text, scope=scope,
                         limits=limits_of(library.settings, max_error, effort))  # fmt: skip
        case = library.ask(asked, recipe)
        seconds = time.perf_counter() - started
        if options.json:
            emit(case_json(case, seconds))
            return
        if not library.settings.llm.models:
            options.err().print(
                "note: no LLM is configured (PILOTFISH_LLM__MODEL); answering by extraction alone",
                markup=False, style="dim",
            )  # fmt: skip
        _print(options, case, receipt(case.trace, seconds))
        if trace:
            _print_trace(options, case)


def _standard_input() -> str:
    return decoded(sys.stdin.buffer.read(), "the question", "convert it to UTF-8")


def model_override(model: str | None) -> dict[str, Any]:
    """--model replaces the configured model and its tiers."""
    return {"llm.model": model, "llm.tiers": ()} if model else {}


def limits_of(settings: Any, max_error: float | None = None, effort: float | None = None) -> Limits:
    """One call at most; with several tiers, samples or a retry, as many as these take.

    InputError: no such effort.
    """
    from pipeline.tiers import checked

    return Limits(max_error, checked(effort), max_calls=settings.calls)


def note_promise(options: Context, library: Any, recipe: str, max_error: float | None) -> str:
    """Say on stderr what is promised, or that nothing can be; empty when nothing is asked for."""
    if max_error is None:
        return ""
    from pipeline.reliance import reliance

    told = reliance(library.parts, recipe, max_error).told()
    options.err().print(f"note: {told}", markup=False)
    return told


def _print(options: Context, case: Case, paid: Receipt) -> None:
    out = options.out()
    answer = case.answer
    if answer is None or answer.abstained:
        out.print("I cannot answer this from the documents.", style="yellow")
        if case.passages:
            out.print("Nearest evidence:", style="dim")
        for passage in case.passages[:3]:
            out.print(
                f"  {passage.document}: {shorten(passage.text, 160)}", markup=False, style="dim"
            )
    else:
        out.print(numbered(answer), markup=False)
        out.print()
        for number, citation in enumerate(answer.citations, start=1):
            out.print(f"[{number}] {source_of(citation)}", markup=False, style="cyan")
            out.print(f"    {shorten(said_by(citation), 400)}", markup=False)
    _print_denials(out, answer)
    out.print(summary(answer, paid), markup=False, style="dim")


def _print_denials(out: Any, answer: Answer | None) -> None:
    """Each contradicted sentence, and the words that deny it."""
    for flaw in answer.flaws if answer else ():
        if answer and flaw.evidence:
            said, quote = answer.text[flaw.start : flaw.end], flaw.evidence.quote
            out.print(f"⚠ contradicted: {shorten(said, 160)}", markup=False, style="red")
            out.print(f"    {spot(flaw.evidence)}: “{shorten(quote, 400)}”", markup=False)


def numbered(answer: Answer) -> str:
    """The text with [n] after each cited sentence and a mark after each unsupported one."""
    marks: dict[int, str] = {}
    for number, citation in enumerate(answer.citations, start=1):
        end = citation.sentence[1]
        marks[end] = marks.get(end, "") + f" [{number}]"
    for flaw in answer.flaws:
        marks[flaw.end] = marks.get(flaw.end, "") + f" [⚠ {flaw.kind}]"
    text = answer.text
    for end in sorted(marks, reverse=True):
        text = text[:end] + marks[end] + text[end:]
    return text


def source_of(citation: Citation) -> str:
    """Document and place of a citation, for people."""
    source = citation.source
    if isinstance(source, Span):
        return spot(source)
    if isinstance(source, Cells):
        if not source.rows:  # of an attached database, whose rows have no numbers
            count = len(source.values)
            return f"{source.document}, {source.table}, {count} row{'s' * (count > 1)} of it"
        rows = ", ".join(map(str, source.rows))
        return f"{source.document}, {source.table}, row{'s' * (len(source.rows) > 1)} {rows}"
    return source.document


def said_by(citation: Citation) -> str:
    """What stands there: the words, the edge, or the cells under their columns."""
    source = citation.source
    if isinstance(source, Span):
        return f"“{source.quote}”"
    if isinstance(source, Triple):
        return f"{source.subject} — {source.relation} — {source.object}"
    rows = (zip(source.columns, row, strict=True) for row in source.values)
    return " | ".join("; ".join(f"{name}: {cell}" for name, cell in row) for row in rows)


def spot(span: Span) -> str:
    """Document, place and characters of a quote, for people."""
    return f"{place_of(span.document, span.place)}, characters {span.start}-{span.end}"


def summary(answer: Answer | None, paid: Receipt) -> str:
    """One line: support, who answered, calls, tokens, cost, time."""
    support = "not judged" if answer is None or answer.support is None else f"{answer.support:.2f}"
    if answer is not None and answer.basis is not None:
        support += f" ({answer.basis.calibration})"
    cost = (
        "unknown price"
        if paid.cost_usd is None
        else f"${paid.cost_usd:.6f}".rstrip("0").rstrip(".")
    )
    model = answer.model if answer and answer.model else "nobody"
    calls = f"{paid.llm_calls} LLM call" + ("" if paid.llm_calls == 1 else "s")
    tokens = f"{paid.prompt_tokens} + {paid.completion_tokens} tokens"
    degraded = ", degraded (see --trace)" if answer and answer.degraded else ""
    return (
        f"support {support}, by {model}, {calls}, {tokens}, {cost}, {paid.seconds:.2f} s{degraded}"
    )


def _print_trace(options: Context, case: Case) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("step", "ms", "calls", "tokens", "detail"):
        table.add_column(name, justify="right" if name in {"ms", "calls", "tokens"} else "left")
    for event in case.trace:
        detail = event.error or ", ".join(f"{k}={_short(v)}" for k, v in event.detail.items())
        tokens = event.prompt_tokens + event.completion_tokens
        table.add_row(event.step, f"{event.seconds * 1000:.1f}", str(event.llm_calls or ""),
                      str(tokens or ""), _escaped(detail))  # fmt: skip
    options.out().print(table)


def _short(value: object) -> str:
    return shorten(str(value), 160)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
