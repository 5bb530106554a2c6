"""Child processes for tests: started in sessions of their own, killed, started again, ended.

A small supervisor, not the product's: what is proved must hold whoever starts the processes
again. Not here: what is started (servers.py, fleet.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from tests.warm import ROOT
from tests.warm import Child as Process
from tests.warm import start as fork

STOP_SECONDS = 45.0
POSTGRES = "/usr/lib/postgresql"


class NotInTime(AssertionError):
    """What was waited for did not come."""


def until(condition: Callable[[], Any], seconds: float, what: str, pause: float = 0.05) -> Any:
    """The first true value of `condition`; NotInTime after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise NotInTime(f"not within {seconds:g} s: {what}")
        time.sleep(pause)
    return found


def environment(given: Mapping[str, object]) -> dict[str, str]:
    """The caller's without anything of ours, and what is given."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PILOTFISH_", "OPENAI_"))}
    if "PILOTFISH_CACHE" in os.environ:
        kept["PILOTFISH_CACHE"] = os.environ["PILOTFISH_CACHE"]
    own = {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "PYTHONUTF8": "1", "PYTHONFAULTHANDLER": ""}
    return kept | own | {name: str(value) for name, value in given.items()}


def python(*arguments: object) -> list[str]:
    return [sys.executable, "-P", *map(str, arguments)]


@dataclass(slots=True)
class Child:
    """One process. `keep`: the supervisor starts it again when it ends. `user`: run as.

    `warm`: a python(...) that is forked from a parent which has imported the libraries.
    """

    name: str
    command: Sequence[str]
    log: Path
    given: Mapping[str, object] = field(default_factory=dict)
    user: str | None = None
    keep: bool = True
    warm: bool = False
    process: Process | None = None
    starts: int = 0
    ends: list[int] = field(default_factory=list)  # exit statuses; -9 was killed

    def start(self) -> Self:
        """Run it; its output goes to the end of `log`."""
        with self.log.open("ab") as log:
            self.process = self._forked(log) if self.warm else self._run(log)
        self.starts += 1
        return self

    def _forked(self, log: IO[bytes]) -> Process:
        arguments = self.command[len(python()) :]
        return fork(arguments, Path("/"), environment(self.given), stdout=log, stderr=log)

    def _run(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        account: dict[str, Any] = {"user": self.user, "extra_groups": []} if self.user else {}
        return subprocess.Popen(
            self.command, env=environment(self.given), cwd="/", stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True, **account,
        )  # fmt: skip

    @property
    def alive(self) -> bool:
        """Whether it runs; notes its exit status once."""
        if self.process is None:
            return False
        status = self.process.poll()
        if status is not None:
            self.ends.append(status)
            self.process = None
        return status is None

    def send(self, number: int = signal.SIGKILL) -> bool:
        """Send a signal to its session, and wait for the end after SIGKILL."""
        if self.process is None:
            return False
        process = self.process
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:  # ended, or forked a moment ago and in no session yet
            process.send_signal(number)
        if number == signal.SIGKILL:
            process.wait()
        return True

    def stop(self, number: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> bool:
        """Ask it to end; False when it had to be killed."""
        self.keep = False
        process = self.process
        if process is None or process.poll() is not None:
            return True
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.send()
            return False
        with suppress(ProcessLookupError):  # what it may have left in its session
            os.killpg(process.pid, signal.SIGKILL)
        return True

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Watch:
    """Starts children again that have ended, `pause` seconds later."""

    def __init__(self, pause: float = 0.1) -> None:
        self.children: list[Child] = []
        self._pause = pause
        self._mutex = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def add(self, child: Child) -> Child:
        with self._mutex:
            self.children.append(child.start())
        return child

    def kill(self, child: Child) -> bool:
        """SIGKILL; whether it was alive. It is started again if it is to be kept."""
        with self._mutex:
            return child.alive and child.send()

    def alive(self, child: Child) -> bool:
        with self._mutex:
            return child.alive

    def terminate(self, child: Child) -> None:
        """SIGTERM: it finishes what it holds; then it is started again."""
        with self._mutex:
            if child.alive and child.process is not None:
                child.process.terminate()

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            with self._mutex:
                for child in self.children:
                    if child.keep and not child.alive:
                        child.start()

    def close(self, first: Sequence[Child] = ()) -> list[str]:
        """End `first` all at once, then the others; names of those that had to be killed."""
        self._stop.set()
        self._thread.join()
        for child in first:
            if child.alive and child.process is not None:
                child.process.terminate()
        others = [child for child in self.children if child not in first]
        return [child.name for child in (*first, *others) if not child.stop()]
