"""Starts and supervises the service's processes on one machine: queue, dispatcher, API, workers.

A child that ends is started again, after a pause that grows while it keeps ending. SIGTERM or
Ctrl-C ends them in order: the API first, so that nothing new is accepted, then the workers,
which finish what they hold. Not here: what the processes do.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pilotfish.settings import Settings
from workers import logs, redis_local

STOP_SECONDS = 60.0
FIRST_PAUSE, LAST_PAUSE, STEADY_SECONDS = 0.5, 5.0, 30.0
log = logging.getLogger("pilotfish.up")


@dataclass(slots=True)
class Child:
    """One supervised process."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0
    restarts: int = 0

    def start(self) -> None:
        """Run it in a session of its own, so that Ctrl-C reaches the supervisor alone."""
        self.process = subprocess.Popen(
            self.command, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL,
            stdout=sys.stderr, start_new_session=True,
        )  # fmt: skip
        self.started = time.monotonic()

    def watch(self) -> None:
        """Start it if it has ended and its pause is over."""
        now = time.monotonic()
        if self.process is not None:
            status = self.process.poll()
            if status is None:
                return
            self.process = None
            steady = now - self.started > STEADY_SECONDS
            self.pause = FIRST_PAUSE if steady else min(self.pause * 2, LAST_PAUSE)
            self.due, self.restarts = now + self.pause, self.restarts + 1
            log.warning("%s ended (%s); starting it again in %.1f s", self.name, status, self.pause)
        if now >= self.due:
            self.start()

    def end(self, seconds: float) -> None:
        """Ask it to end, wait, then kill its session."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.warning("%s did not end in %.0f s: killed", self.name, seconds)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None


@dataclass(slots=True)
class Supervisor:
    """Keeps its children running until `stop`; ends them from first to last."""

    children: list[Child]
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Blocks until `stop` is set."""
        try:
            for child in self.children:
                child.start()
            while not self.stop.wait(0.2):
                for child in self.children:
                    child.watch()
        finally:
            for child in self.children:
                child.end(STOP_SECONDS)


def children(settings: Settings, given: Mapping[str, object]) -> list[Child]:
    """What `pilotfish up` runs, in the order in which it ends. `given`: settings by variable.

    The supervisor itself logs as they do.
    """
    logs.configure(settings.service)
    environment = {f"PILOTFISH_{name}": str(value) for name, value in given.items()}
    queue: list[Child] = []
    if settings.service.redis is None:
        command, url = redis_local.command(Path(settings.workspace) / "redis")
        queue = [Child("redis", command, {})]
        environment["PILOTFISH_SERVICE__REDIS"] = url
    ours = [sys.executable, "-P", "-m", "pilotfish"]
    answers = [*ours, "worker", "--queue", "answers", "--threads", str(settings.service.threads)]
    documents = [*ours, "worker", "--queue", "documents", "--threads", "1"]
    return [
        Child("api", [*ours, "serve"], environment),
        Child("dispatcher", [*ours, "dispatcher"], environment),
        *[Child(f"worker {n + 1}", answers, environment) for n in range(settings.service.workers)],
        Child("documents", documents, environment),
        *queue,
    ]
