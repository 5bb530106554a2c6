"""What every command shares: options, where output goes, exit codes.

stdout carries data, stderr everything else. Not here: any command.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilotfish import errors
from pilotfish.redact import redact

if TYPE_CHECKING:
    from rich.console import Console

    from pilotfish.settings import Settings
    from pipeline.library import Library
    from store.database import Database

OK, BUG, USAGE, CONFIGURATION, INVALID, FAILED_ITEMS, BUDGET, UNREACHABLE, NOT_FOUND = range(9)
INTERRUPTED = 130
VERSION = 1  # of what --json prints: raised when a field changes its meaning or goes
_CODES: tuple[tuple[type[errors.PilotfishError], int], ...] = (
    (errors.SettingsError, CONFIGURATION),
    (errors.IndexCorrupt, CONFIGURATION),
    (errors.InputError, INVALID),
    (errors.NotFound, NOT_FOUND),
    (errors.BudgetExceeded, BUDGET),
    (errors.ModelError, UNREACHABLE),
    (errors.Unavailable, UNREACHABLE),
    (errors.RetrievalFailed, FAILED_ITEMS),
)


@dataclass(slots=True)
class Context:
    """The global options of one call."""

    workspace: Path | None = None
    collection: str | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    progress: bool = True
    debug: bool = False
    overrides: dict[str, Any] = field(default_factory=dict)

    def settings(self, **more: Any) -> Settings:
        """All sources merged; the arguments of this call win."""
        from pilotfish.settings import load

        given = {"workspace": self.workspace, "collection": self.collection, **more}
        return load({k: v for k, v in given.items() if v is not None})

    def attach(self) -> None:
        """Make the engine's folders importable."""
        from pilotfish.engine import attach

        attach()

    def library(self, *, create: bool = False, **more: Any) -> Library:
        """The opened collection. Imports the engine."""
        self.attach()
        from pipeline.library import Library

        return Library(self.settings(**more), create=create)

    def database(self, *, create: bool = False) -> Database:
        """The workspace's database, for commands that need no models. Imports the engine."""
        self.attach()
        from store.workspace import open_workspace

        settings = self.settings()
        return open_workspace(settings.workspace, create=create, url=settings.database).database

    def err(self) -> Console:
        """The console for people: stderr."""
        from rich.console import Console

        return Console(stderr=True, quiet=self.quiet, highlight=False)

    def out(self) -> Console:
        """The console for readable results: stdout."""
        from rich.console import Console

        class Piped(Console):
            def on_broken_pipe(self) -> None:
                raise  # the reader has enough: `guarded` ends quietly, rich would exit with 1

        terminal = sys.stdout.isatty()
        return Piped(highlight=False, soft_wrap=not terminal, width=None if terminal else 160)


def emit(value: object) -> None:
    """One JSON value on one line of stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def emit_object(fields: Mapping[str, object]) -> None:
    """The one object that a command prints with --json, versioned. Not for rows of a list."""
    emit({"version": VERSION, **fields})


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def code_of(error: errors.PilotfishError) -> int:
    """The exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), BUG)


@contextlib.contextmanager
def guarded(context: Context) -> Iterator[None]:
    """Turn what goes wrong into short lines and an exit code; no traceback without --debug."""
    _logging(context)
    try:
        yield
        sys.stdout.flush()  # a closed pipe is found here, not when Python ends
    except errors.PilotfishError as error:
        if context.debug:
            raise
        _say(context, error.code, str(error))
        raise SystemExit(code_of(error)) from None
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(OK) from None
    except Exception as error:  # the last boundary: a bug of ours
        if context.debug:
            raise
        _say(
            context, "bug", f"{type(error).__name__}: {error}; run again with --debug and report it"
        )
        raise SystemExit(BUG) from None


def _say(context: Context, code: str, message: str) -> None:
    message = redact(message)
    if context.json:
        emit_object({"error": {"type": code, "code": code, "message": message}})
    what, _, mend = message.rpartition(": ")
    if "\n" in message or not what or " " not in mend:
        sys.stderr.write(f"error: {message}\n")
    else:
        sys.stderr.write(f"error: {what}\n  mend: {mend}\n")


class _Brief(logging.Formatter):
    """A record's message, and of its exception the last line only."""

    def formatException(self, ei: Any) -> str:
        return f"{ei[0].__name__}: {ei[1]}" if ei[0] else ""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another formatter may have kept the whole traceback there
        return super().format(record)


def _logging(context: Context) -> None:
    level = logging.DEBUG if context.debug else logging.INFO if context.verbose else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter("%(message)s") if context.debug else _Brief("%(message)s")
    )
    logging.basicConfig(level=level if not context.quiet else logging.ERROR, handlers=[handler])
    for noisy in ("LiteLLM", "httpx", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
