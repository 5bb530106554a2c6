"""What happens in a parser's child: limits on itself, one parser, its results into the pipe.

Not here: starting and killing it; `corpus.zygote` does that. The network is cut twice: by a
network namespace where the system grants one (in the zygote), and by an audit hook always.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

from corpus import wire
from corpus.limits import MB, Limits
from corpus.parsed import Parsed, ParseFailure

Parser = Callable[[bytes, str, Limits], Iterator[Parsed | ParseFailure]]

_REFUSED = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system",
    "os.startfile", "os.kill", "os.remove", "os.rename", "os.rmdir", "os.mkdir",
    "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.utime", "os.setxattr",
    "shutil.", "pty.", "tempfile.", "urllib.", "http.client.", "ftplib.", "smtplib.", "webbrowser.",
    "ctypes.dlopen",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FLUSH = 64 * 1024


def serve(out_fd: int, file_fd: int, dotted: str) -> None:
    """Parse one document. The request (name, limits) comes first through `out_fd`."""
    name, given = _request(out_fd)
    limits = Limits(**given)
    outbox = _Outbox(out_fd)
    try:
        parser = resolve(dotted)
        _lock(limits)
        data = _read(file_fd, limits.file_mb * MB)
        for item in parser(data, name, limits):
            outbox.put(_checked(item, name, limits))
        if not outbox.count:
            outbox.put(ParseFailure(name, "no documents in it: nothing to read"))
    except MemoryError:
        outbox.put(ParseFailure(name, too_much_memory(limits)))
    except Exception as error:  # the parser's child: any library may raise anything
        outbox.put(ParseFailure(name, _reason(error)))
    outbox.flush()


def resolve(dotted: str) -> Parser:
    """The parser called `package.module.function`."""
    module, _, function = dotted.rpartition(".")
    parser: Parser = getattr(importlib.import_module(module), function)
    return parser


def too_much_memory(limits: Limits) -> str:
    """Why a document that hit the memory limit was not read."""
    return (
        f"needs more than {limits.memory_mb} MB of memory: "
        "split it or raise PILOTFISH_LIMITS__MEMORY_MB"
    )


def refuse(event: str, args: tuple[object, ...]) -> None:
    """The audit hook: no network, no processes, no writing."""
    if event == "open":
        flags = args[2] if len(args) > 2 else 0
        if isinstance(flags, int) and flags & _WRITING:
            raise PermissionError("a parser may not write files")
    elif event.startswith(_REFUSED):
        what = "the network" if event.startswith(("socket.", "urllib.", "http.")) else event
        raise PermissionError(f"a parser may not use {what}")


def _lock(limits: Limits) -> None:
    sys.dont_write_bytecode = True
    caps = (
        (resource.RLIMIT_AS, limits.memory_mb * MB, limits.memory_mb * MB),
        (resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 5),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NPROC, 0, 0),
    )
    for kind, soft, hard in caps:
        with suppress(ValueError, OSError):  # not every system knows or grants every one
            resource.setrlimit(kind, (soft, hard))
    sys.addaudithook(refuse)


def _checked(item: Parsed | ParseFailure, name: str, limits: Limits) -> Parsed | ParseFailure:
    if isinstance(item, ParseFailure):
        return item
    where = f"{name} ({item.id})" if item.id else name
    if len(item.text) > limits.characters:
        reason = f"{len(item.text)} characters of text, the cap is {limits.characters}: split it"
        return ParseFailure(where, f"{reason} or raise PILOTFISH_LIMITS__CHARACTERS")
    if not item.text or item.text.isspace():
        return ParseFailure(where, "no text in it: nothing to read")
    return item


def _reason(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"its parser is not installed ({error.name}): pip install 'pilotfish[engine]'"
    shown = " ".join(str(error).split())[:200]
    what = f"{type(error).__name__}: {shown}" if shown else type(error).__name__
    if isinstance(error, PermissionError) and shown.startswith("a parser may not"):
        return f"refused: {shown}"
    return f"damaged, or not the kind its name says ({what}): save it again"


def _read(fd: int, most: int) -> bytes:
    """The file up to `most` bytes, wherever its offset stands."""
    size = min(os.fstat(fd).st_size, most)
    with open(fd, "rb", buffering=0, closefd=False) as file:
        file.seek(0)
        pieces, left = [], size
        while left and (piece := file.read(min(left, 64 * MB))):
            pieces.append(piece)
            left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _request(fd: int) -> tuple[str, dict[str, int]]:
    _, length = wire.head(_exactly(fd, wire.HEAD_SIZE))
    name, limits = wire.content(_exactly(fd, length))
    return name, limits


def _exactly(fd: int, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = os.read(fd, count - len(got))
        if not piece:
            raise EOFError("the request ended early")
        got += piece
    return got


class _Outbox:
    """Frames gathered into pieces of 64 KiB, so that many small documents cost little."""

    def __init__(self, fd: int) -> None:
        self.count = 0
        self._fd, self._waiting = fd, bytearray()

    def put(self, item: Parsed | ParseFailure) -> None:
        """Queue one result."""
        self._waiting += wire.pack(item)
        self.count += 1
        if len(self._waiting) >= _FLUSH:
            self.flush()

    def flush(self) -> None:
        """Write all that waits; blocks while the reader is behind."""
        view = memoryview(self._waiting)
        while view:
            view = view[os.write(self._fd, view) :]
        view.release()
        self._waiting = bytearray()
