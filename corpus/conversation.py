"""One document's request to a parser's child and the results that come back, checked.

Not here: starting the child (`sandbox`), and its own side (`jail`).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict

from corpus import wire
from corpus.limits import Limits
from corpus.parsed import Parsed, ParseFailure

_PIECE = 1 << 20


class Conversation:
    """One document's request and results; counts only the seconds spent waiting for the child.

    A slow reader of ours is not the document's fault: while nobody asks, its child stands
    still against a full pipe.
    """

    def __init__(self, stream: socket.socket, status: int, name: str, limits: Limits) -> None:
        self._stream, self._status, self._name, self._limits = stream, status, name, limits
        self._left = float(limits.wall_s)
        self._got = bytearray()
        self._over = False

    def results(self) -> Iterator[Parsed | ParseFailure]:
        """Everything the child sends, then how it ended if it did not end well."""
        with suppress(OSError):  # a child that is gone already is told by its status
            self._stream.sendall(wire.frame(wire.REQUEST, [self._name, asdict(self._limits)]))
        while True:
            item = self._next()
            if item is None:
                return
            yield item
            if self._over:
                return

    def _next(self) -> Parsed | ParseFailure | None:
        try:
            packed = self._frame()
            if packed is not None:
                return wire.unpack(*packed)
            code = self._exit_code()
        except TimeoutError:
            seconds = f"{self._limits.wall_s:g}"
            return self._last(
                f"took more than {seconds} s: split it or raise PILOTFISH_LIMITS__WALL_S"
            )
        except wire.BrokenFrameError as error:
            return self._last(f"its parser gave a broken result ({error}): save it again")
        return None if code == 0 else self._last(_ending(code, self._limits))

    def _last(self, reason: str) -> ParseFailure:
        self._over = True
        return ParseFailure(self._name, reason)

    def _frame(self) -> tuple[bytes, bytes] | None:
        """The next frame; None at the end, also in the midst of a frame."""
        if not self._fill(wire.HEAD_SIZE):
            return None
        kind, length = wire.head(bytes(self._got[: wire.HEAD_SIZE]))
        if not self._fill(wire.HEAD_SIZE + length):
            return None
        payload = bytes(self._got[wire.HEAD_SIZE : wire.HEAD_SIZE + length])
        del self._got[: wire.HEAD_SIZE + length]
        return kind, payload

    def _fill(self, size: int) -> bool:
        while len(self._got) < size:
            self._wait(self._stream.fileno())
            try:
                piece = self._stream.recv(_PIECE)
            except ConnectionError:
                return False
            if not piece:
                return False
            self._got += piece
        return True

    def _exit_code(self) -> int | None:
        self._wait(self._status)
        told = os.read(self._status, 16)
        return int(told) if told else None

    def _wait(self, fd: int) -> None:
        begun = time.monotonic()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        ready = poll.poll(max(0.0, self._left) * 1000)
        self._left -= time.monotonic() - begun
        if not ready:
            raise TimeoutError


def _ending(code: int | None, limits: Limits) -> str:
    """Why a child that ended with `code` (negative: a signal; None: unknown) gave no result."""
    if code == -signal.SIGXCPU:
        return f"took more than {limits.cpu_s} s of CPU: split it or raise PILOTFISH_LIMITS__CPU_S"
    if code == -signal.SIGKILL:
        return "its parser was killed by the system (out of memory?): split it or free memory"
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"its parser crashed ({name}): the file is damaged, save it again"
    return "its parser ended without a result: try again, or save the file again"
