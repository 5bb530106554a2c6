"""`make demo`: index the documents, answer the questions, show a readable table.

Uses the same parts as the command line; needs no key and no network.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from pilotfish.errors import PilotfishError
from pilotfish.settings import load
from pilotfish.text import shorten
from pipeline.batch import Batch
from pipeline.library import Hooks, Library
from pipeline.outputs import write_lines
from pipeline.questions import Line, read_questions

HERE = Path(__file__).resolve().parent
WORKSPACE = HERE.parent / ".demo"
ANSWERS = WORKSPACE / "answers.jsonl"


def main() -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    library = Library(load({"workspace": WORKSPACE}), create=True)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading examples/documents", total=None)
        hooks = Hooks(
            stored=lambda _: progress.advance(task),
            embedded=lambda n: progress.update(task, description=f"indexed {n} passages"),
        )
        report = library.add([str(HERE / "documents")], hooks)
    console.print(
        f"added {len(report.added)} documents ({report.unchanged} unchanged): "
        f"{report.passages} passages, {report.tables} tables"
    )
    lines = read_questions(
        HERE / "questions.jsonl", (HERE / "questions.jsonl").read_bytes(), 20_000
    )
    results = answer(library, lines)
    console.print(table(lines, results))
    write_lines(ANSWERS, results)
    console.print(summary(results))
    console.print(f"whole answers: {ANSWERS.relative_to(HERE.parent)}", style="dim")


def answer(library: Library, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """One result a question, with progress on stderr."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("answering", total=len(lines))
        batch = Batch(library, threads=2, done=lambda _: progress.advance(task))
        return batch(lines)


def table(lines: Sequence[Line], results: Sequence[Mapping[str, Any]]) -> Table:
    """question, answer, cited quotes with their places, support, time, cost."""
    shown = Table(show_lines=True, header_style="bold")
    for name, ratio in (("question", 3), ("answer", 4), ("cited from", 4)):
        shown.add_column(name, ratio=ratio)
    for name in ("support", "ms", "$"):
        shown.add_column(name, justify="right", no_wrap=True)
    for line, result in zip(lines, results, strict=True):
        shown.add_row(*row(line, result))
    return shown


def row(line: Line, result: Mapping[str, Any]) -> list[str]:
    paid = result["receipt"]
    support = result["support"]
    said = (
        escape(shorten(result["answer"], 300))
        if result["answer"]
        else "[yellow]I cannot answer this[/]"
    )
    return [
        escape(line.question),
        said,
        "\n".join(place(citation) for citation in result["citations"]),
        "" if support is None else f"{support:.2f}",
        f"{paid['seconds'] * 1000:.0f}",
        "?" if paid["cost_usd"] is None else f"{paid['cost_usd']:.4f}",
    ]


def place(citation: Mapping[str, Any]) -> str:
    """“quote” and where it stands."""
    where = [Path(citation["document"]).name]
    if "page" in citation:
        where.append(f"page {citation['page']}")
    if "table" in citation:
        where.append(f"{citation['table']}, row {citation['rows'][0]}")
    where.append(f"[{citation['start']}:{citation['end']}]")
    return f"“{escape(shorten(citation['quote'], 160))}”\n[cyan]{escape(', '.join(where))}[/]"


def summary(results: Sequence[Mapping[str, Any]]) -> str:
    answered = sum(result["status"] == "answered" for result in results)
    calls = sum(result["receipt"]["llm_calls"] for result in results)
    return f"{answered} of {len(results)} answered, the others honestly not; {calls} LLM calls"


if __name__ == "__main__":
    started = time.perf_counter()
    try:
        main()
    except PilotfishError as error:
        sys.exit(f"error: {error}")
    print(f"{time.perf_counter() - started:.1f} s in all", file=sys.stderr)
