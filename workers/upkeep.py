"""What an API process does beside answering: delivers webhooks, forgets what is too old.

Not here: what is forgotten (store/submissions.py, store/removal.py).
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from pilotfish.errors import PilotfishError
from store import removal, submissions
from store.database import Database
from workers.webhooks import Deliverer

LOOK_SECONDS, FORGET_SECONDS, DAY = 1.0, 600.0, 86_400.0
log = logging.getLogger("pilotfish.upkeep")


@dataclass(slots=True)
class Upkeep:
    """`keep_days`: how long questions and answers of ended jobs are kept; None: for ever."""

    deliverer: Deliverer
    keep_days: float | None
    stop: threading.Event = field(default_factory=threading.Event)
    _forgot: float = -FORGET_SECONDS

    def start(self) -> threading.Thread:
        """Turn after turn in a thread, until `stop`."""
        thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while not self.stop.wait(LOOK_SECONDS):
            try:
                self.turn()
            except PilotfishError as error:  # the database is away; the next turn may find it
                log.warning("%s", error)

    def turn(self) -> None:
        """Deliver what is due; now and then forget."""
        self.deliverer.turn()
        now = time.monotonic()
        if self.keep_days is not None and now - self._forgot >= FORGET_SECONDS:
            self._forgot = now
            forget(self.deliverer.database, self.keep_days)


def forget(database: Database, keep_days: float) -> int:
    """Drop questions, answers and replies of jobs that ended so long ago; gives how many items."""
    moment = time.time() - keep_days * DAY
    with database.write() as connection:
        removal.replies_before(connection, moment)
        return submissions.forget_before(connection, moment)
