"""What an API process does beside answering: delivers webhooks, removes what is kept no longer.

Not here: what is forgotten (store/submissions.py, store/removal.py, store/uploads.py).
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from pilotfish.errors import PilotfishError
from store import removal, submissions, uploads
from store.database import Database
from workers.webhooks import Deliverer

LOOK_SECONDS, FORGET_SECONDS, DAY = 1.0, 600.0, 86_400.0
AGAIN_DAYS = 7.0  # so long the file of an item that failed waits for `retry`
log = logging.getLogger("pilotfish.upkeep")


@dataclass(slots=True)
class Upkeep:
    """`keep_days`: how long questions and answers of ended jobs are kept; None: for ever.

    `root`: the workspace's folder, where uploads lie.
    """

    deliverer: Deliverer
    keep_days: float | None
    root: Path
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
        if now - self._forgot < FORGET_SECONDS:
            return
        self._forgot = now
        if self.keep_days is not None:
            forget(self.deliverer.database, self.keep_days)
        clear(self.deliverer.database, self.root, self.keep_days)


def forget(database: Database, keep_days: float) -> int:
    """Drop questions, answers and replies of jobs that ended so long ago; gives how many items."""
    moment = time.time() - keep_days * DAY
    with database.write() as connection:
        removal.replies_before(connection, moment)
        return submissions.forget_before(connection, moment)


def clear(database: Database, root: Path, keep_days: float | None) -> int:
    """Remove uploads that nothing will read again, and those that are kept no longer; gives how
    many.
    """
    now = time.time()
    days = AGAIN_DAYS if keep_days is None else min(AGAIN_DAYS, keep_days)
    with database.read() as connection:
        gone = uploads.unneeded(connection, now - days * DAY)
        if keep_days is not None:
            gone += uploads.older(connection, now - keep_days * DAY)
    for row in gone:
        with database.write() as connection:
            uploads.discard(connection, root, row)
    with database.read() as connection:
        return len(gone) + uploads.sweep(connection, root)
