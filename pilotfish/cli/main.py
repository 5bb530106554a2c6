"""The `pilotfish` command: global options, and the commands of the other files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pilotfish.cli import (
    ask,
    attach,
    batch,
    decompose,
    documents,
    evaluate,
    glossary,
    judging,
    predict,
    quarantine,
    recipes,
    search,
    service,
    trust,
    tune,
    tune_search,
    tuning,
    upkeep,
    usage,
)
from pilotfish.cli.context import Context

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Answers over your documents: small models around one hosted LLM, every sentence cited.",
)


@app.callback()
def options(
    context: typer.Context,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", help="Folder of the workspace [.pilotfish].")
    ] = None,
    collection: Annotated[
        str | None, typer.Option("--collection", help="Collection in the workspace [default].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine output on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No notes on stderr.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="More notes.")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bar.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="PILOTFISH_DEBUG", help="Tracebacks.")
    ] = False,
) -> None:
    """Global options, before the command."""
    context.obj = Context(workspace, collection, as_json, quiet, verbose, not no_progress, debug)


GROUPS = (
    documents, attach, quarantine, search, decompose, ask, batch, judging, predict, evaluate,
    tune, tuning, tune_search, trust, recipes, glossary, upkeep, service, usage,
)  # fmt: skip
for commands in GROUPS:
    commands.register(app)


def main() -> None:
    """Entry point. Global options may also stand after the command."""
    app(args=hoisted(sys.argv[1:]), prog_name="pilotfish")


_FLAGS = {"--json", "--no-progress", "--debug", "-q", "--quiet", "-v", "--verbose"}
_VALUED = {"--workspace", "--collection"}


def hoisted(arguments: list[str]) -> list[str]:
    """Move global options to the front, so that `pilotfish ask q --json` works too."""
    front: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word == "--":
            rest += arguments[at:]
            break
        if word in _FLAGS or (word.split("=", 1)[0] in _VALUED and "=" in word):
            front.append(word)
        elif word in _VALUED and at + 1 < len(arguments):
            front += arguments[at : at + 2]
            at += 1
        else:
            rest.append(word)
        at += 1
    return front + rest


if __name__ == "__main__":
    main()
