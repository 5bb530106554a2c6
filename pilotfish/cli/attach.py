"""`attach`, `attached`, `detach`: databases that are asked where they lie."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pilotfish.cli.context import Context, emit, emit_object, guarded


def register(app: typer.Typer) -> None:
    for command, name in ((attach, "attach"), (attached, "attached"), (detach, "detach")):
        app.command(name)(command)


def attach(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What to call it, as in --table NAME.")],
    where: Annotated[str, typer.Argument(help="SQLite or DuckDB file, or postgresql://...")],
    schema: Annotated[str, typer.Option("--schema", help="Schema [public or main].")] = "",
    table: Annotated[
        list[str] | None, typer.Option("--table", help="Only this table; may be repeated.")
    ] = None,
) -> None:
    """Attach a database: an LLM writes SQL over it, run read-only where the database lies."""
    options: Context = context.obj
    with guarded(options):
        library = options.library(create=True)
        from pipeline.attaching import attach as attach_to

        made, found = attach_to(library, name, where, schema, table or ())
        columns = sum(len(one.columns) for one in found.tables)
        if options.json:
            tables = {one.name: [c.name for c in one.columns] for one in found.tables}
            emit_object({**asdict(made), "tables": tables})
            return
        out = options.out()
        out.print(
            f"attached {made.name}: {len(found.tables)} tables, {columns} columns, read in place",
            markup=False,
        )
        if not library.settings.llm.models:
            options.err().print("note: no LLM is configured, and only one writes SQL for it",
                                markup=False)  # fmt: skip


def attached(context: typer.Context) -> None:
    """The databases that are attached to the collection."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from pipeline.attaching import attached as found_of

        found = found_of(library)
        for one in found:
            if options.json:
                emit(asdict(one))
                continue
            only = f", only {', '.join(one.granted)}" if one.granted else ""
            schema = f", schema {one.schema}" if one.schema else ""
            options.out().print(f"{one.name}  {one.place}{schema}{only}", markup=False)
        if not found:
            options.err().print("no database is attached: pilotfish attach NAME WHERE")


def detach(
    context: typer.Context, name: Annotated[str, typer.Argument(help="Its name here.")]
) -> None:
    """Forget an attached database; the database itself is not touched."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from pipeline.attaching import detach as detach_from

        detach_from(library, name)
        if options.json:
            emit_object({"detached": name})
        else:
            options.out().print(f"detached {name}", markup=False)
