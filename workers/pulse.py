"""A worker's pulse: renews its leases, and ends the process when it hangs.

Two ways to hang: an item that takes far too long (a thread cannot be stopped, so the process
goes, after its other items had time to end), and a worker that takes nothing although the
database has work. Whoever supervises starts it again. Not here: taking and finishing items.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pilotfish.errors import SettingsError, Unavailable
from store import items, ringing
from store.database import Database
from store.items import Taken

FIRST_SECONDS = 60.0  # within which a worker takes its first item, though it has much to load
DEAF_SECONDS = 20.0  # later; longer than a bell that nobody heard stays unrepeated
GRACE_SECONDS = 30.0
HUNG = 70  # exit status, as sysexits' "internal software error"
log = logging.getLogger("pilotfish.pulse")


def leave(status: int) -> None:
    """End the process now, whatever its threads do."""
    os._exit(status)


@dataclass(slots=True)
class Pulse:
    """`lease` and `item_seconds` as in the settings; `leave` ends the process."""

    database: Database
    owner: str
    lease: float
    item_seconds: float
    leave: Callable[[int], None] = leave
    stop: threading.Event = field(default_factory=threading.Event)
    kinds: Sequence[str] = items.KINDS  # which work comes here
    _at_work: dict[tuple[int, int], tuple[Taken, float]] = field(default_factory=dict)
    _unwritten: list[Taken] = field(default_factory=list)
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _last: float = field(default_factory=time.monotonic)
    _patience: float = FIRST_SECONDS
    _leaving: float | None = None

    @contextmanager
    def working(self, taken: Taken) -> Iterator[None]:
        """While the block runs, the item's lease is kept, for `item_seconds` at most.

        When the database is away at its end, the item is given back once it is there again.
        """
        this = taken.id, taken.fence
        with self._mutex:
            self._at_work[this] = (taken, time.monotonic())
            self._patience = DEAF_SECONDS
        try:
            yield
        except Unavailable as error:
            log.warning("item %d is given back: %s", taken.id, error)
            with self._mutex:
                self._unwritten.append(taken)
        finally:
            with self._mutex:
                self._at_work.pop(this, None)
                self._last = time.monotonic()

    def start(self) -> threading.Thread:
        """Beat in a thread until `stop`."""
        thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while not self.stop.wait(self.lease / 3):
            try:
                self.beat()
            except (Unavailable, SettingsError) as error:  # leases run out, fences hold
                log.warning("%s", error)

    def beat(self) -> None:
        """Renew the leases; put back what is stuck; leave when there is no other way."""
        stuck = self._stuck()
        with self._mutex:
            unwritten, at_work = list(self._unwritten), [key[0] for key in self._at_work]
        with self.database.write(lock=None, durable=False) as connection:
            for taken in stuck:
                log.error("item %d is stuck after %.0f s", taken.id, self.item_seconds)
                items.put_back(connection, taken)
            for taken in unwritten:
                items.put_back(connection, taken, burnt=False)
            items.beat(connection, self.owner, self.lease, at_work)
        with self._mutex:
            del self._unwritten[: len(unwritten)]
        if stuck and self._leaving is None:
            self._leaving = time.monotonic()
            os.kill(os.getpid(), signal.SIGTERM)  # take nothing new, end the others
        over = self._leaving is not None and time.monotonic() - self._leaving > GRACE_SECONDS
        if over or self._deaf():
            with self.database.write(lock=None, durable=False) as connection:
                items.let_go(connection, self.owner)
            self.leave(HUNG)

    def _stuck(self) -> list[Taken]:
        since = time.monotonic() - self.item_seconds
        with self._mutex:
            stuck = [taken for taken, started in self._at_work.values() if started < since]
            for taken in stuck:
                del self._at_work[taken.id, taken.fence]
        return stuck

    def _deaf(self) -> bool:
        """Whether somebody was rung for, and for long nothing has come here."""
        with self._mutex:
            if self._at_work:
                return False
        with self.database.read() as connection:
            waiting = ringing.waiting(connection, self.kinds)
        with self._mutex:
            now = time.monotonic()
            if self._at_work or not waiting:
                self._last = now
            return now - self._last >= self._patience
