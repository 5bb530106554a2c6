"""`glossary`: the terms that the documents define, each with its place."""

from __future__ import annotations

from dataclasses import asdict

import typer

from pilotfish.cli.context import Context, emit, guarded


def register(app: typer.Typer) -> None:
    app.command("glossary")(glossary)


def glossary(context: typer.Context) -> None:
    """Terms, abbreviations and what the documents say they mean."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from pipeline.glossaries import glossary_of

        found = glossary_of(library)
        for one in found:
            if options.json:
                emit(asdict(one))
                continue
            out = options.out()
            out.print(f"{one.term}: {one.meaning}", markup=False, style="bold")
            out.print(f"    {one.document}, characters {one.start}-{one.end}", markup=False)
        if not found:
            options.err().print("no document defines a term")
