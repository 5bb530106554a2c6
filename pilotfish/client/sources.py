"""What is sent: questions as a list or as a file, documents out of files and folders.

Not here: reading documents, or judging questions; the service does both.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pilotfish.client.transport import File, Send
from pilotfish.errors import InputError, NotFound

# A line as in a batch file: {"question", "custom_id"?, "where"?, "turns"?}.
Questions = Iterable[str | Mapping[str, Any]] | str | Path
Source = str | Path | tuple[str, bytes]  # a file, a folder, or (name, content)
_FILES, _BYTES = 200, 32_000_000  # of one request


def asking(path: str, questions: Questions, fields: Mapping[str, Any]) -> Send:
    """A POST of questions; one text or Path is the path of a file with them."""
    if isinstance(questions, str | Path):
        file = Path(questions)
        if not file.is_file():
            mend = "name a file of questions, or give a list of texts"
            raise NotFound(f"no file {str(questions)[:200]!r}: {mend}")
        return Send("POST", path, body=fields, files=((file.name, file),))
    return Send("POST", path, body={**fields, "questions": list(questions)})


def files_of(sources: Sequence[Source]) -> list[File]:
    """All files, those of folders without hidden ones.

    A document is called by its file's name, and in a folder by its path from that folder on, as
    the command line does it. Two files of one name are an error: the second would replace the
    first.
    """
    found: dict[str, tuple[str, Path | bytes]] = {}
    for source in sources:
        for name, content in _of(source):
            other = found.get(name)
            if other is not None and other[1] != content:
                both = f"{_shown(other)} and {_shown((name, content))}"
                raise InputError(f"{both} would be one document {name!r}: rename one of them")
            found[name] = (name, content)
    if not found:
        raise InputError("no files to add: name files, or folders with files in them")
    return list(found.values())


def _of(source: Source) -> Iterator[File]:
    if isinstance(source, tuple):
        yield source
        return
    path = Path(source)
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for name in sorted(names):
                if not name.startswith("."):
                    inside = Path(path.resolve().name, Path(folder).relative_to(path), name)
                    yield inside.as_posix(), Path(folder, name)
    elif path.is_file():
        yield path.name, path
    else:
        raise NotFound(f"no file or folder {str(source)[:200]!r}: check the path")


def _shown(file: File) -> str:
    return file[0] if isinstance(file[1], bytes) else str(file[1])


def parcels(files: Sequence[File]) -> Iterator[list[File]]:
    """Files in groups that one request can carry."""
    group: list[File] = []
    size = 0
    for file in files:
        more = len(file[1]) if isinstance(file[1], bytes) else file[1].stat().st_size
        if group and (len(group) == _FILES or size + more > _BYTES):
            yield group
            group, size = [], 0
        group.append(file)
        size += more
    yield group
