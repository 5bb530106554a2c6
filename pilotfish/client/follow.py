"""A job's result lines over connections that may break: those there are, or as they finish.

What was given is remembered by custom_id, so that a line comes once, whatever breaks; at the
end the whole of the results is compared, so that none is missing. Not here: what lines mean.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilotfish.client.errors import JobPaused, ServiceError
from pilotfish.client.pauses import pause_after
from pilotfish.client.results import JobView, job_view

if TYPE_CHECKING:
    from pilotfish.client.transport import Transport

PATIENCE = 120.0  # seconds without a word from the service, such as while it is started again
SILENCE = 45.0  # an open stream says something every 15 s
Line = Mapping[str, Any]


@dataclass(slots=True)
class Patience:
    """How long a service that is away is waited for."""

    seconds: float = PATIENCE
    _tries: int = 0
    _heard: float = field(default_factory=time.monotonic)

    def heard(self) -> None:
        self._tries, self._heard = 0, time.monotonic()

    def bear(self, error: ServiceError) -> None:
        """Pause after an error; raise it when it is final, or has lasted too long."""
        late = error.code == "timeout"  # a stream that fell silent: its other end may be gone
        if not (error.retryable or late) or time.monotonic() - self._heard > self.seconds:
            raise error
        time.sleep(pause_after(self._tries) if error.retry_after is None else error.retry_after)
        self._tries += 1


@dataclass(slots=True)
class Lines:
    """Lines of one job. `view` is the job as last heard of, once a stream has told."""

    transport: Transport
    job_id: str
    trace: bool = False
    view: JobView | None = None
    _given: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)  # ids of events
    _last: str | None = None
    _over: bool = False

    def finished(self) -> Iterator[Line]:
        """Those that are finished now and were not given yet, in order."""
        patience = Patience()
        while True:
            try:
                with self._opened("results", {"trace": "true"} if self.trace else {}) as lines:
                    for text in lines:
                        patience.heard()
                        if text and (line := self._new(json.loads(text))):
                            yield line
                return
            except ServiceError as error:
                patience.bear(error)

    def follow(self) -> Iterator[Line]:
        """Each as it finishes, until the job has ended; JobPaused while it is paused."""
        patience = Patience()
        while not self._over:
            try:
                yield from self._stream(patience)
            except ServiceError as error:
                if isinstance(error, JobPaused):
                    yield from self.finished()
                    raise
                patience.bear(error)
        yield from self.finished()

    def _stream(self, patience: Patience) -> Iterator[Line]:
        """One connection's worth. A stream that just ends is opened again."""
        headers = {"last-event-id": self._last} if self._last else {}
        with self._opened("events", {}, headers) as lines:
            for name, event_id, data in events(lines):
                patience.heard()
                if name == "item":
                    if line := self._fresh(event_id, data):
                        yield line
                    continue
                self.view = job_view(data)
                self._over = name == "end"
                if self.view.state == "paused":
                    raise paused(self.view)
        if not self._over:
            time.sleep(pause_after(0))

    def _opened(
        self, what: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Any:
        path = f"/v1/jobs/{self.job_id}/{what}"
        return self.transport.lines(path, params, headers, SILENCE)

    def _fresh(self, event_id: str, line: Line) -> Line | None:
        """A line of the stream; one that was retried finishes again, and is given again."""
        if event_id in self._seen:
            return None
        self._seen.add(event_id)
        self._given.add(str(line["custom_id"]))
        self._last = event_id
        return line

    def _new(self, line: Line) -> Line | None:
        name = str(line["custom_id"])
        if name in self._given:
            return None
        self._given.add(name)
        return line


def events(lines: Iterator[str]) -> Iterator[tuple[str, str, Any]]:
    """(name, id, data) of server-sent events; one that is cut off is left out."""
    found: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            found[name] = value.removeprefix(" ")
            continue
        with suppress(KeyError):
            yield found["event"], found.get("id", ""), json.loads(found["data"])
        found = {}


def paused(view: JobView) -> JobPaused:
    """The error of somebody who waits for a job that does not go on."""
    error = JobPaused(f"job {view.id} is paused ({view.reason or 'no reason given'})")
    error.job = view
    return error
