"""What doing an item is, whatever its kind: take it, keep its lease, tell of its end.

Not here: the work (answering.py, indexing.py), and who rings (dispatch.py).
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from dataclasses import dataclass

from pilotfish.errors import Unavailable
from store import items, submissions
from store.items import Taken
from workers import logs, telemetry_items
from workers.bell import Bell
from workers.process import Process
from workers.pulse import Pulse

AWAY_SECONDS = 2.0  # after which an item is tried again when the database was away
log = logging.getLogger("pilotfish.hands")


@dataclass(frozen=True, slots=True)
class Hands:
    """Does items by id. Shared by all threads of a worker."""

    process: Process
    bell: Bell
    pulse: Pulse

    def __call__(self, item_id: int) -> None:
        """Do the item if it is free; nothing happens when it is not."""
        taken = self._taken(item_id)
        if taken is None:
            return
        with self.pulse.working(taken), logs.about(**telemetry_items.named(taken)):
            self.guarded(taken)
        self.bell.tell(item_id)

    def _taken(self, item_id: int) -> Taken | None:
        try:
            with self.process.database.write(lock=None, durable=False) as connection:
                return items.take(connection, item_id, self.process.owner, self.pulse.lease)
        except Unavailable as error:  # it is rung for again
            log.warning("item %d is not taken: %s", item_id, error)
            return None

    @abstractmethod
    def guarded(self, taken: Taken) -> None:
        """Do it and write its end; nothing but Unavailable may come out of here."""

    def pause(self, taken: Taken, reason: str) -> None:
        """What stops this item stops all: a wrong key, a missing setting. No attempt is burnt."""
        with self.process.database.write(lock=None, durable=False) as connection:
            submissions.pause(connection, taken.job_id, reason)
            items.put_back(connection, taken, burnt=False)

    def later(self, taken: Taken, wait: float) -> None:
        """Not now: a model's rate is used up, or the database is away. No attempt is burnt."""
        with self.process.database.write(lock=None, durable=False) as connection:
            items.put_back(connection, taken, wait, burnt=False)
