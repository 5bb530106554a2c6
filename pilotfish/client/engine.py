"""The embedded engine: `pilotfish serve --inline` as a child process, on a socket of its own.

It ends with its client, also when this process is killed (child.py watches). One that died is
started again with the next request: what it had accepted is in the database. Not here: HTTP.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pilotfish.client.errors import EngineFailed
from pilotfish.errors import SettingsError

START_SECONDS = 120.0
CLOSE_SECONDS = 75.0  # an LLM call that is paid for may come to its end
LEFT_SECONDS = 5.0  # a client that was never closed
_LONGEST = 100  # bytes of a socket's path
_LISTENS = "listening:"


class Engine:
    """Started by `ensure`. env: settings for the child, over the environment of this process."""

    def __init__(self, env: Mapping[str, str]) -> None:
        if not hasattr(os, "fork"):
            raise SettingsError("Client() needs unix sockets: start pilotfish up, and name its url")
        self.folder = _folder()
        self.socket = str(self.folder / "http")
        self.log = self.folder / "engine.log"
        self._env = dict(env)
        self._mutex = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._owner = os.getpid()
        self._left = weakref.finalize(self, _leave, None, self.folder, self._owner)

    @property
    def pid(self) -> int | None:
        """Of the running child."""
        return self._process.pid if self._process is not None else None

    def ensure(self) -> None:
        """Start it unless it runs; EngineFailed with its last words when it does not."""
        with self._mutex:
            if self._closed:
                raise EngineFailed("the client is closed: make a new one", code="closed")
            if self._process is None or self._process.poll() is not None:
                self._start()

    def _start(self) -> None:
        self._forget()
        command = [sys.executable, "-P", "-m", "pilotfish.client.child", str(self.folder)]
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [*command, "serve", "--inline", "--socket", self.socket], stderr=log, stdout=log,
                stdin=subprocess.PIPE, env=os.environ | self._env, start_new_session=True,
            )  # fmt: skip
        self._process = process
        self._left = weakref.finalize(self, _leave, process, self.folder, self._owner)
        end = time.monotonic() + START_SECONDS
        while _LISTENS not in self._said():
            if process.poll() is not None:
                raise EngineFailed(_last_words(self._said(), process.returncode))
            if time.monotonic() > end:
                _kill(process)
                raise EngineFailed(f"the engine did not start within {START_SECONDS:g} s")
            time.sleep(0.02)

    def _said(self) -> str:
        with suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace")
        return ""

    def _forget(self) -> None:
        """Let go of a child that has ended."""
        self._left.detach()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    def close(self) -> None:
        """End it in order: what is being answered is finished first. A second Ctrl-C kills it."""
        with self._mutex:
            self._closed = True
            process = self._process
            if process is not None and os.getpid() == self._owner:
                _end(process, CLOSE_SECONDS)
            self._forget()
            if os.getpid() == self._owner:
                shutil.rmtree(self.folder, ignore_errors=True)


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings as the child reads them: {"llm.model": "x"} is PILOTFISH_LLM__MODEL=x."""
    return {
        "PILOTFISH_" + key.upper().replace(".", "__"): _text(value)
        for key, value in settings.items()
    }


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _folder() -> Path:
    """A private folder whose path is short enough for a socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="pilotfish-"))
    if len(os.fsencode(folder)) < _LONGEST - len("/http"):
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="pilotfish-", dir="/tmp"))


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
    except BaseException:
        _kill(process)
        raise


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _leave(process: subprocess.Popen[bytes] | None, folder: Path, owner: int) -> None:
    """A client that nobody closed: the child ends by itself when its stdin does."""
    if process is not None and process.stdin is not None:
        process.stdin.close()
    if os.getpid() != owner:
        return
    if process is not None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LEFT_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)


def _last_words(said: str, status: int) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    text = " ".join(lines[-3:])[-600:] or f"the engine ended with status {status}"
    if "No module named" in text:
        return f'{text}: pip install "pilotfish[engine]", or name the url of a service'
    return text
