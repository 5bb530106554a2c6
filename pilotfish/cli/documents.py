"""`add`, `list`, `show`, `remove`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pilotfish.cli.context import FAILED_ITEMS, Context, emit, emit_object, guarded
from pilotfish.cli.progress import Meter

if TYPE_CHECKING:
    from corpus.add import Report


def register(app: typer.Typer) -> None:
    for command, name in ((add, "add"), (listing, "list"), (show, "show"), (remove, "remove")):
        app.command(name)(command)


def add(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(help="Files, folders, or - for stdin.")],
) -> None:
    """Add or update documents: files, folders (recursive), JSON lines, or - for stdin."""
    options: Context = context.obj
    with guarded(options):
        library = options.library(create=True)
        from pipeline.library import Hooks

        with Meter(options, "documents") as meter:
            hooks = Hooks(lambda _: meter.tick(), lambda n: meter.beside("passages indexed", n))
            report = library.add(paths, hooks)
        _print_report(options, report)
        if report.failed:
            raise SystemExit(FAILED_ITEMS)


def _print_report(options: Context, report: Report) -> None:
    if options.json:
        emit_object({
            "added": report.added, "updated": report.updated, "unchanged": report.unchanged,
            "removed": report.removed, "failed": [asdict(one) for one in report.failed],
            "warnings": [{"document": d, "warning": w} for d, w in report.warnings],
            "passages": report.passages, "tables": report.tables, "triples": report.triples,
            "quarantined": report.quarantined,
            "dropped": {"short": report.dropped_short, "duplicate": report.dropped_duplicate},
        })  # fmt: skip
        return
    err, out = options.err(), options.out()
    for document, warning in report.warnings:
        err.print(f"note: {document}: {warning}", markup=False)
    for one in report.failed:
        err.print(f"failed: {one.source}: {one.reason}", markup=False)
    dropped = report.dropped_short + report.dropped_duplicate
    out.print(
        f"added {len(report.added)}, updated {len(report.updated)}, unchanged {report.unchanged}, "
        f"failed {len(report.failed)}; {report.passages} passages, {report.tables} tables"
        + (f", {report.triples} triples" if report.triples else "")
        + (f"; removed {len(report.removed)} that left their file" if report.removed else "")
        + (f", {report.quarantined} held in quarantine" if report.quarantined else "")
        + (f", {dropped} empty or repeated passages dropped" if dropped else ""),
        markup=False,
    )


def listing(context: typer.Context) -> None:
    """List the documents of the collection."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from store import documents

        with library.database.read() as connection:
            rows = documents.listing(connection, library.collection().id)
        if options.json:
            for row in rows:
                emit(row)
            return
        _table(options, rows)


def _table(options: Context, rows: list[dict[str, object]]) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    counts = ["characters", "passages", "tables"]
    counts += ["quarantined"] if any(row["quarantined"] for row in rows) else []
    for name in ("document", "title", *counts):
        table.add_column(name, justify="right" if name in counts else "left", overflow="fold")
    for row in rows:
        numbers = [f"{row[name]:,}" for name in counts]
        table.add_row(*map(_plain, [row["id"], row["title"], *numbers]))
    options.out().print(table)
    options.err().print(f"{len(rows)} documents", markup=False)


def _plain(value: object) -> str:
    from rich.markup import escape

    return escape(str(value))


def show(
    context: typer.Context, document: Annotated[str, typer.Argument(help="Document id.")]
) -> None:
    """Print one document as it is stored: the text that offsets refer to."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from store import documents

        with library.database.read() as connection:
            row = documents.show(connection, library.collection().id, document)
        if options.json:
            emit_object(row)
            return
        err = options.err()
        err.print(f"{row['id']}: {row['title']} ({row['media_type']})", markup=False, style="bold")
        typer.echo(str(row["text"]))


def remove(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(help="Document ids, or names of added files.")],
) -> None:
    """Remove documents everywhere: passages, vectors, tables, answers that quoted them."""
    options: Context = context.obj
    with guarded(options):
        count = options.library().remove(ids)
        if options.json:
            emit_object({"removed": count})
        else:
            options.out().print(f"removed {count}")
