"""`doctor`, `reindex`, `backup`, `restore`, `config show`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pilotfish.cli.context import CONFIGURATION, Context, emit_object, guarded
from pilotfish.cli.progress import Meter

config = typer.Typer(help="Settings and where they come from.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    for command in (doctor, reindex, backup, restore):
        app.command(command.__name__)(command)
    app.add_typer(config, name="config")


@config.callback()
def _config() -> None:
    """Settings and where they come from."""


@config.command("show")
def show(context: typer.Context) -> None:
    """Every setting, its value, and where it came from."""
    options: Context = context.obj
    with guarded(options):
        from pilotfish.settings import explain

        given = {"workspace": options.workspace, "collection": options.collection}
        for key, value, source in explain(given):
            if options.json:
                emit_object({"key": key, "value": value, "source": source})
            else:
                options.out().print(f"{key:<28} {value!s:<28} {source}", markup=False)


def doctor(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Rebuild the indexes.")] = False,
) -> None:
    """Check weights, database, passages and indexes; say the mend."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from pipeline import doctor as checks

        if repair:
            checks.repair(library)
        findings = checks.examine(library)
        for one in findings:
            if options.json:
                emit_object(asdict(one))
                continue
            mark, style = ("ok  ", "green") if one.ok else ("BAD ", "red")
            mend = f": {one.mend}" if one.mend else ""
            options.out().print(
                f"{mark} {one.check}: {one.detail}{mend}", markup=False, style=style
            )
        if not all(one.ok for one in findings):
            raise SystemExit(CONFIGURATION)


def reindex(
    context: typer.Context,
    encoder: Annotated[
        str | None, typer.Option(help="Another encoder: a Hugging Face name or a path.")
    ] = None,
) -> None:
    """Build the indexes anew beside the old ones, then swap."""
    options: Context = context.obj
    with guarded(options):
        library = options.library()
        from pipeline.library import Hooks

        with Meter(options, "passages indexed") as meter:
            library.reindex(encoder, Hooks(embedded=meter.tick))
        name = library.collection().encoder
        if options.json:
            emit_object({"encoder": name})
        else:
            options.out().print(f"reindexed with {name}", markup=False)


def backup(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="File to write.")]
) -> None:
    """Write the whole workspace into one file."""
    options: Context = context.obj
    with guarded(options):
        from pilotfish.engine import attach

        attach()
        from store import backup as backups
        from store.workspace import open_workspace

        workspace = open_workspace(options.settings().workspace, create=False)
        size = backups.backup(workspace, file)
        if options.json:
            emit_object({"file": file, "bytes": size})
        else:
            options.out().print(f"wrote {file} ({size:,} bytes)", markup=False)


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File that backup wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the workspace.")] = False,
) -> None:
    """Put a backup in place of the workspace; indexes are rebuilt at the first use."""
    options: Context = context.obj
    with guarded(options):
        from pilotfish.engine import attach

        attach()
        from store import backup as backups

        root = options.settings().workspace
        backups.restore(file, root, force=force)
        if options.json:
            emit_object({"workspace": root})
        else:
            options.out().print(f"restored {root} from {file}", markup=False)
