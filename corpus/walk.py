"""Paths as typed on the command line into single sources, in a stable order.

Not here: opening them. Hidden files, `.pilotfish` workspaces and circles of links are passed by.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from corpus.intake import os_reason
from corpus.limits import DEFAULT, MB, Limits
from corpus.parsed import ParseFailure

WORKSPACE = ".pilotfish"


@dataclass(frozen=True, slots=True)
class Source:
    """One file to parse: a path, or bytes that came in by standard input.

    `name` is how the user knows it: as typed, or from the named folder on down, with slashes.
    """

    path: Path | None
    name: str
    data: bytes | None = None


def walk(paths: Sequence[str], limits: Limits = DEFAULT) -> Iterator[Source | ParseFailure]:
    """Every file under `paths`; `-` is standard input, read up to the cap on file size."""
    for typed in paths:
        if typed == "-":
            most = limits.file_mb * MB
            yield Source(None, "stdin", sys.stdin.buffer.read(most + 1))
            continue
        path = Path(typed)
        if path.name == WORKSPACE:
            yield ParseFailure(typed, "a Pilotfish workspace, not documents: name your own files")
        elif path.is_dir():
            yield from _folder(path, typed)
        elif os.path.lexists(path):
            yield Source(path, _shown(_as_typed(path)))
        else:
            yield ParseFailure(typed, "no such file or folder: check the path")


def _folder(path: Path, typed: str) -> Iterator[Source | ParseFailure]:
    prefix = "" if path == Path() else path.resolve().name
    found = False
    for item in _under(path, prefix):
        found = True
        yield item
    if not found:
        yield ParseFailure(typed, "no files in this folder: name one with documents in it")


def _under(top: Path, prefix: str) -> Iterator[Source | ParseFailure]:
    """Depth first, names sorted; each real folder is entered once."""
    entered: set[tuple[int, int]] = set()
    waiting = [(top, PurePath(prefix))]
    while waiting:
        path, name = waiting.pop()
        try:
            if not path.is_dir():
                yield Source(path, _shown(name))
                continue
            found = os.stat(path)
            if (found.st_dev, found.st_ino) in entered:
                continue
            entered.add((found.st_dev, found.st_ino))
            with os.scandir(path) as entries:
                inside = sorted(entry.name for entry in entries if not entry.name.startswith("."))
        except OSError as error:
            yield ParseFailure(_shown(name) or ".", f"folder: {os_reason(error)}")
            continue
        waiting += [(path / one, name / one) for one in reversed(inside)]


def _as_typed(path: Path) -> PurePath:
    """Without leading `..`, which says where the user stood and nothing about the file."""
    parts = list(path.parts)
    while len(parts) > 1 and parts[0] == "..":
        parts.pop(0)
    return PurePath(*parts)


def _shown(name: PurePath) -> str:
    """With slashes, and with bytes that are no text replaced."""
    return "" if name == PurePath() else os.fsencode(name.as_posix()).decode("utf-8", "replace")
