"""`batch`: a file of questions in, a file of answers out; resumes by itself."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilotfish.cli.ask import (
    Effort,
    MaxError,
    Model,
    RecipeName,
    limits_of,
    model_override,
    note_promise,
)
from pilotfish.cli.context import FAILED_ITEMS, INTERRUPTED, Context, emit, guarded
from pilotfish.cli.output import writable
from pilotfish.cli.progress import Meter
from pilotfish.cli.search import Where, note_behind
from pilotfish.errors import InputError
from pilotfish.files import read_piped
from pilotfish.types import Limits, Scope

if TYPE_CHECKING:
    from pipeline.library import Library
    from pipeline.questions import Line

_COUNTED = ("llm_calls", "prompt_tokens", "completion_tokens")


def register(app: typer.Typer) -> None:
    app.command("batch")(batch)


def batch(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="Questions: .jsonl .csv .tsv .xlsx .txt or -.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Answers: .jsonl .csv .tsv .xlsx or -.")
    ],
    where: Where = None,
    model: Model = None,
    recipe: RecipeName = "default",
    max_error: MaxError = None,
    effort: Effort = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Write bad lines as failed and go on.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Print tokens, dollars and minutes; ask nothing.")
    ] = False,
) -> None:
    """Answer every question of a file; started again, it does only what is missing."""
    options: Context = context.obj
    with guarded(options):
        library = options.library(**model_override(model))
        scope = Scope(library.settings.collection, where=where)
        limits = limits_of(library.settings, max_error, effort)
        _askable(library, recipe, scope)
        note_behind(options, library)
        promise = note_promise(options, library, recipe, max_error)
        lines = _lines(library, source, skip_invalid)
        if estimate:
            from pipeline.estimate import estimate_batch

            emit(estimate_batch(library, [line for line in lines if line.problem is None]))
            return
        writable(source, output)
        started = time.perf_counter()
        results = _run(options, library, lines, (recipe, scope, limits))
        if len(results) < len(lines):
            sys.stderr.write(
                f"interrupted: {len(results)} of {len(lines)} are done and kept; go on with\n"
                f"  pilotfish {' '.join(map(_quoted, sys.argv[1:]))}\n"
            )
            raise SystemExit(INTERRUPTED)
        _write(output, results)
        took = {"seconds": round(time.perf_counter() - started, 4)}
        more = took | ({"promise": promise} if promise else {})
        _summary(options, results, output, more)
        if any(line["status"] == "failed" for line in results):
            raise SystemExit(FAILED_ITEMS)


def _askable(library: Library, recipe: str, scope: Scope) -> None:
    """Fail before any work when each question would fail for the same mistake."""
    from pipeline.batch import check

    check(library, recipe, scope)


def _lines(library: Library, source: Path, skip_invalid: bool) -> list[Line]:
    """All lines; InputError that names every bad one unless they may be skipped."""
    from pipeline.questions import read_questions

    data = read_piped(source)
    named = Path("stdin.jsonl") if str(source) == "-" else source
    lines = read_questions(named, data, library.settings.limits.question_chars)
    bad = [line for line in lines if line.problem is not None]
    if bad and not skip_invalid:
        told = "\n".join(f"  line {line.number}: {line.problem}" for line in bad)
        raise InputError(
            f"{len(bad)} of {len(lines)} lines cannot be asked; nothing was started.\n{told}\n"
            "  mend them, or add --skip-invalid"
        )
    return lines


def _run(
    options: Context, library: Library, lines: list[Line], how: tuple[str, Scope, Limits]
) -> list[dict[str, object]]:
    from pipeline.batch import Batch

    recipe, scope, limits = how
    settings = library.settings
    threads = settings.concurrency if settings.llm.models else min(2, os.cpu_count() or 1)
    good = sum(line.problem is None for line in lines)
    with Meter(options, "questions", good) as meter:

        def begun(count: int) -> None:
            meter.total = count  # so that rate and time left are those of this run
            if before := good - count:
                told = f"{before} of {good} questions are done already"
                options.err().print(told, markup=False)

        def done(line: dict[str, object]) -> None:
            paid = line.get("receipt")
            dollars = (paid.get("cost_usd") or 0.0) if isinstance(paid, dict) else 0.0
            meter.tick(failed=line["status"] == "failed", dollars=dollars)

        run = Batch(library, recipe, scope, limits, threads, begun=begun, done=done)
        with stopping(run.stop):
            return run(lines)


@contextlib.contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C sets `stop`, so that what is in flight is finished; the second leaves."""

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()
        os.write(2, b"stopping when what is in flight is finished; Ctrl-C again leaves at once\n")

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _write(output: Path, results: list[dict[str, object]]) -> None:
    from pipeline.outputs import write_lines

    if str(output) == "-":
        for line in results:
            emit({k: v for k, v in line.items() if k != "question"})
        return
    spreadsheet = output.suffix.lower() in {".csv", ".tsv", ".xlsx"}
    kept = (
        results
        if spreadsheet
        else [{k: v for k, v in r.items() if k != "question"} for r in results]
    )
    write_lines(output, kept)


def _summary(
    options: Context, results: list[dict[str, object]], output: Path, more: Mapping[str, object]
) -> None:
    """A line for people on stderr; with --json one object, unless the answers are on stdout."""
    found = _totals(results)
    if options.json and str(output) != "-":
        emit({"version": 1, **found, **more, "output": str(output)})
    told = ", ".join(f"{found[name]} {name}" for name in ("answered", "abstained", "failed"))
    dollars = found["cost_usd"]
    cost = "price unknown" if dollars is None else f"${dollars:.6f}"
    text = f"{told}; {found['llm_calls']} LLM calls, {cost}"
    reasons = Counter(found["failures"]).most_common(3)
    if "promise" in more:
        text += f"; {more['promise']}"
    if reasons:
        text += "; failures: " + ", ".join(f"{n} x {code}" for code, n in reasons)
    options.err().print(text, markup=False)


def _totals(results: list[dict[str, object]]) -> dict[str, Any]:
    """Counts and money of all lines, those of earlier runs too."""
    counts = Counter(str(line["status"]) for line in results)
    errors = [e for line in results if isinstance(e := line.get("error"), dict)]
    paid = [p for line in results if isinstance(p := line.get("receipt"), dict)]
    costs = [each.get("cost_usd") for each in paid]
    known = [cost for cost in costs if cost is not None]
    return {
        "questions": len(results),
        **{name: counts[name] for name in ("answered", "abstained", "failed")},
        "failures": dict(Counter(str(error["code"]) for error in errors)),
        **{name: sum(each.get(name) or 0 for each in paid) for name in _COUNTED},
        "cost_usd": round(sum(known), 10) if len(known) == len(costs) else None,
    }


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)
