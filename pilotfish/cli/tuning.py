"""`tune graph` and `tune tables`: fit the scorers of structures to a collection, from questions.

Not here: fitting, reading the files (pipeline/tuning.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pilotfish.cli.context import Context, emit_object, guarded
from pilotfish.cli.tune import group

Labelled = Annotated[
    Path,
    typer.Argument(help='JSON lines of {"question", "topic" or "table", "answers", "path"?}.'),
]


def register(app: typer.Typer) -> None:
    group(app).command("graph")(graph)
    group(app).command("tables")(tables)


def graph(context: typer.Context, questions: Labelled) -> None:
    """Learn from labelled questions which relations of the graph a question asks for."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from pipeline.tuning import tune_graph

        _say(options, tune_graph(library, questions))


def tables(context: typer.Context, questions: Labelled) -> None:
    """Learn from labelled questions how this collection's tables are asked."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from pipeline.tuning import tune_tables

        _say(options, tune_tables(library, questions))


def _say(options: Context, told: dict[str, Any]) -> None:
    if options.json:
        emit_object(told)
    options.err().print(
        f"fitted on {told['used']} of {told['questions']} questions; "
        f"{told['accuracy']:.1%} of them right with their part left out",
        markup=False,
    )
