"""Text files that a user names: read and written with errors of one line.

UTF-8, with or without a mark at its start; `-` is stdout, or stdin where it is allowed. Not here:
documents, whose encoding is guessed (corpus/formats/decode.py), and what a line means.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pilotfish.errors import InputError, NotFound


def read_bytes(path: Path) -> bytes:
    """The file's bytes; NotFound or InputError when it cannot be read."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"no file {path}: check the path") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}: check the file") from None


def read_piped(path: Path) -> bytes:
    """As `read_bytes`, and `-` is stdin."""
    return sys.stdin.buffer.read() if str(path) == "-" else read_bytes(path)


def read_text(path: Path) -> str:
    """The file's text, each line end as \\n; NotFound or InputError when there is none."""
    return decoded(read_bytes(path), path).replace("\r\n", "\n").replace("\r", "\n")


def decoded(data: bytes, name: object, mend: str = "save it as UTF-8") -> str:
    """UTF-8 as text; InputError names the first byte that is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start}): {mend}") from None


def write_text(path: Path, text: str) -> None:
    """Write a file, or stdout for `-`; InputError when it cannot be written."""
    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}: choose another file") from None
