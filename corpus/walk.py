"""Paths as typed on the command line into single sources, in a stable order.

Not here: opening them. Hidden files, workspaces of ours and circles of links are passed by.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from corpus import package
from corpus.formats.docstrings import PREFIX
from corpus.intake import os_reason
from corpus.limits import DEFAULT, MB, Limits
from corpus.parsed import ParseFailure
from store.workspace import DATABASE, SECRET

WORKSPACE = ".pilotfish"
_OURS = "a Pilotfish workspace, not documents: name your own files"


@dataclass(frozen=True, slots=True)
class Source:
    """One file to parse: a path, or bytes that came in by standard input.

    `name` is how the user knows it: as typed, or from the named folder on down, with slashes.
    `place` is where it lies, one and the same whichever way it was reached.
    """

    path: Path | None
    name: str
    data: bytes | None = None
    place: str | None = None


def walk(
    paths: Sequence[str | Source], limits: Limits = DEFAULT
) -> Iterator[Source | ParseFailure]:
    """Every file under `paths`; `-` is standard input, read up to the cap on file size.

    A Source is taken as it is. A file met twice keeps its first name; a second file under a
    name that is taken is a failure.
    """
    places: dict[str, str] = {}  # where each named file lies
    names: dict[str, str] = {}  # and the other way round
    for found in _all(paths, limits):
        if isinstance(found, ParseFailure) or found.path is None:
            yield found
            continue
        place = found.place or _place(found.path)
        name = names.setdefault(place, found.name)
        if places.setdefault(name, place) != place:
            reason = f"{places[name]} has this name too: add the folder above both, or rename one"
            yield ParseFailure(name, f"not added, {reason}")
        else:
            yield Source(found.path, name, place=place)


def _all(paths: Sequence[str | Source], limits: Limits) -> Iterator[Source | ParseFailure]:
    for typed in paths:
        if isinstance(typed, Source):
            yield typed
        elif typed == "-":
            most = limits.file_mb * MB
            yield Source(None, "stdin", sys.stdin.buffer.read(most + 1))
        elif typed.startswith(PREFIX) and not Path(typed).exists():
            yield from _package(typed)
        elif reason := _refused(typed):
            yield ParseFailure(_shown(PurePath(typed)), reason)
        elif Path(typed).is_dir():
            yield from _folder(Path(typed), typed)
        else:
            yield Source(Path(typed), _shown(_as_typed(Path(typed))))


def _package(typed: str) -> Iterator[Source | ParseFailure]:
    found = package.sources(typed)
    if isinstance(found, str):
        yield ParseFailure(typed, found)
    else:
        yield from (Source(path, name) for path, name in found)


def _refused(typed: str) -> str:
    """Why nothing under this path can be added, or ""."""
    try:
        os.stat(typed)
    except FileNotFoundError:
        return "no such file or folder: check the path"
    except OSError as error:
        return os_reason(error)
    except ValueError:
        return "no such file: the path holds a NUL character"
    return _OURS if Path(typed).name == WORKSPACE or _ours(os.path.realpath(typed)) else ""


def _ours(real: str) -> bool:
    """Whether it is a workspace or one of the things that we keep in one."""
    inner = ""
    for folder in (Path(real), *Path(real).parents):
        kept = inner in ("", SECRET, "collections") or inner.startswith(DATABASE)
        if kept and _is_workspace(folder):
            return True
        inner = folder.name
    return False


def _is_workspace(folder: Path) -> bool:
    with suppress(OSError):
        return (folder / DATABASE).is_file() and (folder / SECRET).is_file()
    return False


def _folder(path: Path, typed: str) -> Iterator[Source | ParseFailure]:
    prefix = "" if path == Path() else PurePath(os.path.realpath(path)).name
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
            if (found.st_dev, found.st_ino) in entered or _is_workspace(path):
                continue
            entered.add((found.st_dev, found.st_ino))
            with os.scandir(path) as entries:
                inside = sorted(entry.name for entry in entries if not entry.name.startswith("."))
        except OSError as error:
            yield ParseFailure(_shown(name) or ".", f"folder: {os_reason(error)}")
            continue
        waiting += [(path / one, name / one) for one in reversed(inside)]


def _place(path: Path) -> str:
    """The file's one path, whichever way it was reached; a link to a file is a file of its own."""
    return f"{os.path.realpath(path.parent)}/{path.name}"


def _as_typed(path: Path) -> PurePath:
    """Without leading `..`, which says where the user stood and nothing about the file."""
    parts = list(path.parts)
    while len(parts) > 1 and parts[0] == "..":
        parts.pop(0)
    return PurePath(*parts)


def _shown(name: PurePath) -> str:
    """With slashes, and with bytes that are no text replaced."""
    return "" if name == PurePath() else os.fsencode(name.as_posix()).decode("utf-8", "replace")
