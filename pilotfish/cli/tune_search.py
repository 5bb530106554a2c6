"""`tune search`: fit what questions' vectors go through before the search, if it helps.

Not here: pairs, fitting, the test (pipeline/search_tuning.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotfish.cli.context import Context, emit_object, guarded
from pilotfish.cli.tune import group


def register(app: typer.Typer) -> None:
    group(app).command("search")(search)


def search(
    context: typer.Context,
    pairs: Annotated[
        Path | None,
        typer.Argument(
            help='JSON lines of {"question", "document" or "passage"}; none: from the collection.'
        ),
    ] = None,
    llm: Annotated[
        int, typer.Option("--llm", min=0, help="Calls to the LLM that write questions.")
    ] = 0,
    forget: Annotated[bool, typer.Option("--forget", help="Drop what was fitted.")] = False,
) -> None:
    """Adapt the dense search to this collection; kept only where held-back pairs say it helps."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from pipeline.search_tuning import forget as drop
        from pipeline.search_tuning import tune_search

        if forget:
            options.err().print("forgotten" if drop(library) else "nothing was fitted here")
            return
        told = tune_search(library, pairs, llm)
        if options.json:
            emit_object(told)
        word = "kept" if told["kept"] else "not kept, nothing changes"
        options.err().print(f"{word}: {told['why']} ({told['pairs']} pairs)", markup=False)
