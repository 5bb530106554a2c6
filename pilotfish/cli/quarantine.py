"""`quarantine` and `quarantine release`: passages that seem to give orders, and their release."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pilotfish.cli.context import Context, emit, emit_object, guarded

quarantine = typer.Typer(
    help="Passages that seem to give orders, kept out of answers.", rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    app.add_typer(quarantine, name="quarantine")


@quarantine.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Released ones too.")] = False,
) -> None:
    """Passages that seem to give orders: held, with what they were held for."""
    if context.invoked_subcommand:
        return
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from store import quarantine as kept

        with library.database.read() as connection:
            found = kept.listing(connection, library.collection().id, every)
        for one in found:
            if options.json:
                emit(asdict(one))
                continue
            state = "" if one.released is None else " (released)"
            line = f"{one.id}  {one.document}, character {one.start}{state}: {_shown(one.order)}"
            options.out().print(line, markup=False)
        options.err().print(f"{len(found)} passages", markup=False)


@quarantine.command()
def release(
    context: typer.Context,
    wanted: Annotated[list[str], typer.Argument(help="Numbers, or document ids.")],
) -> None:
    """Let passages into the collection: by number, or all of a document."""
    options: Context = context.obj
    with guarded(options):
        count = options.library().release(wanted)
        if options.json:
            emit_object({"released": count})
        else:
            options.out().print(f"released {count}", markup=False)


def _shown(order: str) -> str:
    from pilotfish.text import shorten

    return shorten(order, 120)
