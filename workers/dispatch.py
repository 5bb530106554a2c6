"""The dispatcher: rings for what the database says is unfinished, in fair turns.

One at a time, by a lease. Keeps few ids in the queue (what workers can take within a moment),
so that ten questions behind ten thousand need not wait for them; rings again for bells that
nobody heard and for leases that ran out; buries what died too often; closes finished jobs.
Not here: the work, and the queue itself (queue.py).
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from pilotfish.errors import SettingsError, Unavailable
from store import items, leases, submissions
from store.database import Database
from workers.bell import Bell, Kind, QueueUnreachable

LEASE = "dispatcher"
LEASE_SECONDS = 10.0
LEAST_WINDOW = 16
LOOK_SECONDS = 1.0
BUSY_SECONDS, IDLE_SECONDS, DOWN_SECONDS = 0.02, 0.2, 1.0
log = logging.getLogger("pilotfish.dispatch")


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """`owner` names this process; `closed` hears of each job that has come to its end."""

    database: Database
    bell: Bell
    owner: str
    stop: threading.Event = field(default_factory=threading.Event)
    _looked: dict[str, Any] = field(default_factory=dict)

    def run(self) -> None:
        """Turn after turn until `stop`; an unreachable database or queue is waited for."""
        while not self.stop.is_set():
            try:
                rung = self.turn()
                pause = BUSY_SECONDS if rung else IDLE_SECONDS
            except (Unavailable, SettingsError) as error:
                log.warning("%s", error)
                pause = DOWN_SECONDS
            self.stop.wait(pause)
        with self.database.write() as connection:
            leases.release(connection, LEASE, self.owner)

    def turn(self) -> int:
        """One look at the database; how many ids were put into the queue."""
        with self.database.read() as connection:
            idle = not submissions.unfinished(connection)
        if idle:
            return 0
        forgotten = self._queue_forgot()
        with self.database.write() as connection:
            if not leases.hold(connection, LEASE, self.owner, LEASE_SECONDS):
                return 0
            if forgotten:
                items.unring(connection)
            items.bury(connection)
            submissions.close_finished(connection)
            waiting, working = items.outstanding(connection)
            free = max(LEAST_WINDOW, working // 2) - waiting
            ids = items.due(connection, free) if free > 0 else []
            if ids:
                items.rung(connection, ids)
                kinds = items.kinds(connection, ids)
        if not ids:
            return 0
        for kind in ("answer", "index"):
            self._ring(kind, [i for i in ids if kinds[i] == kind])
        return len(ids)

    def _queue_forgot(self) -> bool:
        """Whether the queue was started anew since the last look, a second or more ago."""
        now = time.monotonic()
        if now - self._looked.get("at", 0.0) < LOOK_SECONDS:
            return False
        age, known = self.bell.age(), self._looked.get("age")
        self._looked.update(at=now, age=age)
        return known is not None and known != age

    def _ring(self, kind: Kind, ids: list[int]) -> None:
        """Ring; what could not be rung is due again at once."""
        try:
            if ids:
                self.bell.ring(kind, ids)
        except QueueUnreachable:
            with self.database.write() as connection:
                items.unrung(connection, ids)
            raise
