"""A job's events as server-sent events: its progress, its lines as they finish, its end.

Read from the database twice a second, so that any API process can give them, after any crash.
A client that comes back with `Last-Event-ID` goes on after that line.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread

from store import submissions
from store.submissions import ENDED
from workers.asked import Who
from workers.jobs import Jobs
from workers.shown import job_shown, line_shown

LOOK_SECONDS, ALIVE_SECONDS = 0.5, 15.0
OVERLAP = 5.0  # seconds looked back: lines are stamped before their transaction is seen
BLOCK = 500


@dataclass(slots=True)
class Events:
    """One client that listens to one job. `last_id`: the id of the last event it has."""

    jobs: Jobs
    who: Who
    job_id: str
    last_id: str | None = None
    _since: tuple[float, int] = (0.0, 0)
    _given: dict[int, float] = field(default_factory=dict)
    _progress: str = ""

    def __post_init__(self) -> None:
        self._since = _parsed(self.last_id)

    async def lines(self) -> AsyncIterator[bytes]:
        """The stream, until the job has ended and everything was given."""
        spoken = time.monotonic()
        while True:
            events, over = await to_thread.run_sync(self._look)
            for event in events:
                yield event
                spoken = time.monotonic()
            if over or self.jobs.waiting.closing.is_set():
                return
            if time.monotonic() - spoken > ALIVE_SECONDS:
                yield b": alive\n\n"
                spoken = time.monotonic()
            if len(events) < BLOCK:
                await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> tuple[list[bytes], bool]:
        """(new events, whether the last was the end)."""
        with self.jobs.database.read() as connection:
            job = submissions.find(connection, self.job_id, self.who.tenant)
            looked = (max(self._since[0] - OVERLAP, 0.0), 0) if self._given else self._since
            rows = submissions.fresh_results(
                connection, self.job_id, looked, BLOCK + len(self._given)
            )
            shown = job_shown(connection, job, self.who.tenant)
        events = list(self._fresh(rows))
        over = job.state in ENDED and len(events) < BLOCK
        text = json.dumps(shown)
        if text != self._progress and not over:
            self._progress = text
            events.append(_event("progress", text))
        if over:
            events.append(_event("end", text))
        return events, over

    def _fresh(self, rows: list[dict[str, Any]]) -> Iterator[bytes]:
        for row, line in zip(rows, submissions.lines(rows), strict=True):
            if row["id"] in self._given:
                continue
            self._given[row["id"]] = row["finished"]
            self._since = max(self._since, (row["finished"], row["id"]))
            named = {"item": f"{self.job_id}/{row['ordinal']}"}
            text = json.dumps(line_shown(line, False) | named)
            yield _event("item", text, f"{row['finished']!r}:{row['id']}")
        old = self._since[0] - OVERLAP
        self._given = {n: when for n, when in self._given.items() if when > old}


def _event(name: str, text: str, event_id: str | None = None) -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {name}\ndata: {text}\n\n".encode()


def _parsed(last_id: str | None) -> tuple[float, int]:
    """(finished, item id) of an event's id; the beginning for what is none of ours."""
    finished, _, item = (last_id or "").partition(":")
    try:
        return (float(finished), int(item)) if len(item) < 19 else (0.0, 0)
    except ValueError:
        return (0.0, 0)
