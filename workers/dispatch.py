"""The dispatcher: rings for what the database says is unfinished, in fair turns.

One at a time, by a lease. Keeps few ids in the queue (what workers can take within a moment),
and those of small jobs before all others, so that ten questions behind ten thousand need not
wait for them; rings again for bells that nobody heard and for leases that ran out; buries what
died too often; closes finished jobs. Not here: the work, and the queue itself (queue.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pilotfish.errors import SettingsError, Unavailable
from store import items, leases, ringing, submissions
from store.database import Database
from workers.bell import Bell, Kind, QueueUnreachable

LEASE = "dispatcher"
LEASE_SECONDS = 5.0  # after which another takes over from one that died
LEAST_WINDOW, MOST_SMALL = 16, 64  # ids in the queue, of larger and of small jobs
CRUMB = 4  # for fewer of larger jobs no look is taken
THOROUGH_SECONDS = 5.0
LOOK_SECONDS = 1.0
BUSY_SECONDS, IDLE_SECONDS, DOWN_SECONDS = 0.1, 0.2, 1.0
KINDS: tuple[Kind, ...] = ("answer", "index")
log = logging.getLogger("pilotfish.dispatch")


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """`owner` names this process."""

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
        """One look at the database; how many ids were put into the queue.

        The look holds nobody up. Only what it found is written, and none of that need be
        durable: lost, it is found again.
        """
        with self.database.read() as connection:
            mine = leases.free(connection, LEASE, self.owner)
            unfinished = mine and submissions.unfinished(connection)
        if not mine:
            self._looked["leads"] = False
        if not unfinished:
            return 0
        if not self._begun():
            return 0
        thorough = self._again("thorough", THOROUGH_SECONDS)
        with self.database.read() as connection:
            over = bool(submissions.finished(connection)) or items.lost(connection, thorough)
            first, others = self._due(connection)
            kinds = ringing.kinds(connection, first + others)
        if over:
            self._end(thorough)
        if not kinds or not self._rung(first + others):
            return 0
        self._ring(kinds, first, others)
        return len(kinds)

    def _begun(self) -> bool:
        """Whether this is the dispatcher that works; what the queue has lost is due again."""
        forgotten, led = self._queue_forgot(), self._looked.get("leads", False)
        if led and not forgotten:
            return True
        with self.database.write(lock=LEASE, durable=False) as connection:
            leads = leases.hold(connection, LEASE, self.owner, LEASE_SECONDS)
            self._looked["leads"] = leads
            if leads:  # who led before may have died between noting and ringing
                ringing.unring(connection)
        return leads

    def _rung(self, ids: list[int]) -> bool:
        """Note what is about to be put into the queue, unless another dispatcher does that."""
        with self.database.write(lock=LEASE, durable=False) as connection:
            leads = leases.hold(connection, LEASE, self.owner, LEASE_SECONDS)
            self._looked["leads"] = leads
            if leads:
                ringing.rung(connection, ids)
        return leads

    def _end(self, thorough: bool) -> None:
        """What is over is written down."""
        with self.database.write(durable=False) as connection:
            if leases.hold(connection, LEASE, self.owner, LEASE_SECONDS):
                items.bury(connection, thorough)
                submissions.close_finished(connection)

    @staticmethod
    def _due(connection: Any) -> tuple[list[int], list[int]]:
        """Ids of small jobs, and of larger ones: each has room of its own in the queue."""
        held = ringing.outstanding(connection)
        small, large = MOST_SMALL - held.small, max(LEAST_WINDOW, held.working // 2) - held.large
        if small <= 0 and large < CRUMB:
            return [], []
        seen = ringing.look(connection)
        first = ringing.due(connection, small, small=True, seen=seen) if small > 0 else []
        others = ringing.due(connection, large, small=False, seen=seen) if large >= CRUMB else []
        return first, others

    def _queue_forgot(self) -> bool:
        """Whether the queue was started anew since the last look, a second or more ago."""
        if not self._again("at", LOOK_SECONDS):
            return False
        age, known = self.bell.age(), self._looked.get("age")
        self._looked["age"] = age
        return known is not None and known != age

    def _again(self, name: str, seconds: float) -> bool:
        """Whether that was last done so long ago or longer; then it is done now."""
        now = time.monotonic()
        if now - self._looked.get(name, 0.0) < seconds:
            return False
        self._looked[name] = now
        return True

    def _ring(self, kinds: Mapping[int, str], first: list[int], others: list[int]) -> None:
        """Ring; what could not be rung is due again at once."""
        try:
            for some, ahead in ((first, True), (others, False)):
                for kind in KINDS:
                    if ids := [i for i in some if kinds.get(i) == kind]:
                        self.bell.ring(kind, ids, first=ahead)
        except QueueUnreachable:  # ids that got there do no harm
            with self.database.write(lock=None, durable=False) as connection:
                ringing.unrung(connection, first + others)
            raise
