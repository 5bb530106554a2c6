"""A file or bytes made ready for a parser: is it a file, may we read it, is it small enough?

Not here: what its content means, of which only the first bytes are looked at. Never waits on
a FIFO.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from corpus.limits import MB, Limits

HEAD = 8192

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_REASONS = {
    errno.ENOENT: "no such file: check the path",
    errno.ENOTDIR: "no such file: check the path",
    errno.EACCES: "permission denied: make it readable",
    errno.EPERM: "permission denied: make it readable",
    errno.ELOOP: "its links lead in a circle: name the file itself",
    errno.ENAMETOOLONG: "the name is too long: shorten it",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file (the taker closes `fd`) and its first bytes."""

    fd: int
    head: bytes


def os_reason(error: OSError) -> str:
    """An operating system's refusal in one line, with the mend."""
    known = _REASONS.get(error.errno or 0)
    return known or f"cannot be read: {(error.strerror or str(error)).lower()}"


def open_checked(path: Path | None, data: bytes | None, limits: Limits) -> Opened | str:
    """The file ready to be read, or why not."""
    if path is None and data is None:
        return "neither a path nor bytes were given"
    try:
        if data is None and (kind := _not_a_file(path or Path())):
            return f"it is {kind}, not a file: name a regular file"
        fd = _spooled(data) if data is not None else _open(path or Path())
    except OSError as error:
        return os_reason(error)
    except ValueError:
        return "no such file: the path holds a NUL character"
    try:
        reason = _refusal(os.fstat(fd), limits)
        first = b"" if reason else os.pread(fd, HEAD, 0)
    except OSError as error:
        reason, first = os_reason(error), b""
    if reason or not first:
        os.close(fd)
        return reason or "empty file"
    return Opened(fd, first)


def file_digest(path: Path, limits: Limits) -> str | None:
    """sha256 of a file's bytes; None for what `open_checked` refuses, which says why."""
    opened = open_checked(path, None, limits)
    if isinstance(opened, str):
        return None
    with os.fdopen(opened.fd, "rb") as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None


def _not_a_file(path: Path) -> str:
    mode = os.stat(path).st_mode
    return "" if stat.S_ISREG(mode) else next(named for test, named in _KINDS if test(mode))


def _open(path: Path) -> int:
    """O_NONBLOCK: should a FIFO take the file's place after the check, we do not hang."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _spooled(data: bytes) -> int:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return os.dup(file.fileno())


def _refusal(found: os.stat_result, limits: Limits) -> str:
    if not stat.S_ISREG(found.st_mode):
        return "cannot be read: it is not a regular file"
    if found.st_size > limits.file_mb * MB:
        size = -(-found.st_size // MB)
        return (
            f"{size} MB is over the {limits.file_mb} MB cap: "
            "split it or raise PILOTFISH_LIMITS__FILE_MB"
        )
    return "" if found.st_size else "empty file"
