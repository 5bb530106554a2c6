"""Parsing in a disposable child per document: whatever a document does, we get a typed answer.

The child has limits on memory, CPU and file size, no network, and may write nothing; it is
killed with its group when we have waited for it too long, or when we hang up. Results come as
JSON in frames, never as pickle. Not here: the child's own side (`zygote`, `jail`).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType

from corpus.conversation import Conversation
from corpus.formats import parser_for
from corpus.intake import open_checked
from corpus.limits import DEFAULT, Limits
from corpus.parsed import Parsed, ParseFailure
from pilotfish.errors import SettingsError

_NAME_SIZE = 256  # as in corpus.zygote, which is not imported here: it is another process
_START_S, _STARTS = 60.0, 2
_CODE = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from corpus.zygote import main; main(int(sys.argv[2]))"
)
_KEPT_ENV = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH")


class Sandbox:
    """Parses documents, each in its own child. Threads may share one; generators may overlap.

    `parser` overrides the choice by name and content with one dotted function name.
    """

    def __init__(self, limits: Limits = DEFAULT, parser: str | None = None) -> None:
        self.limits, self.parser = limits, parser
        self._lock = Lock()
        self._control: socket.socket | None = None
        self._zygote: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the zygote and every child still at work."""
        with self._lock:
            if self._control is not None:
                self._control.close()
            if self._zygote is not None:
                try:
                    self._zygote.wait(5)
                except subprocess.TimeoutExpired:
                    self._zygote.kill()
                    self._zygote.wait()
            self._control = self._zygote = None

    def parse(
        self, path: Path | None, data: bytes | None, name: str
    ) -> Iterator[Parsed | ParseFailure]:
        """The documents of a file (or of `data`), as they come; at least one result.

        `name` is what the user calls it. Raises only `SettingsError`: the zygote cannot start.
        """
        opened = open_checked(path, data, self.limits)
        if isinstance(opened, str):
            yield ParseFailure(name, opened)
            return
        try:
            dotted = self.parser or parser_for(name, opened.head)
            if isinstance(dotted, ParseFailure):
                yield dotted
                return
            stream, status = self._request(dotted, opened.fd)
        finally:
            os.close(opened.fd)
        with stream, os.fdopen(status, "rb", buffering=0) as exit_status:
            yield from Conversation(stream, exit_status.fileno(), name, self.limits).results()

    def _request(self, dotted: str, fd: int) -> tuple[socket.socket, int]:
        """Have a child forked for the open document; our ends of its stream and status pipe."""
        ours, theirs = socket.socketpair()
        status, told = os.pipe()
        fds = [theirs.fileno(), fd, told]
        packed = dotted.encode().ljust(_NAME_SIZE, b"\0")
        try:
            with self._lock:
                control = self._control or self._start()
                try:
                    socket.send_fds(control, [packed], fds)
                except OSError:  # the zygote is gone: once more with a fresh one
                    control.close()
                    socket.send_fds(self._start(), [packed], fds)
        except BaseException:
            ours.close()
            os.close(status)
            raise
        finally:
            theirs.close()
            os.close(told)
        return ours, status

    def _start(self) -> socket.socket:
        """A ready zygote; started once more if it was killed on the way (memory ran short)."""
        for _ in range(_STARTS):
            if (ready := self._started()) is not None:
                self._control = ready
                return ready
        raise SettingsError("the parsers' process did not start: see the lines above")

    def _started(self) -> socket.socket | None:
        ours, theirs = socket.socketpair()
        root = str(Path(__file__).resolve().parent.parent)
        places = json.dumps([root, *(str(Path(place).absolute()) for place in sys.path)])
        command = [sys.executable, "-I", "-c", _CODE, places, str(theirs.fileno())]
        environment = {key: os.environ[key] for key in _KEPT_ENV if key in os.environ}
        with theirs:
            self._zygote = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        ours.settimeout(_START_S)
        with suppress(OSError):
            if ours.recv(1):
                ours.settimeout(None)
                return ours
        ours.close()
        self._zygote.kill()
        self._zygote.wait()
        return None
