"""Waiting for single items: by the bell, and by one look at the database every half second.

One thread looks for all who wait, so that a hundred of them cost one query. Not here: what an
item's end means (jobs.py).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pilotfish.errors import PilotfishError
from store import serving
from store.database import Database
from workers.bell import Bell

LOOK_SECONDS = 0.5
log = logging.getLogger("pilotfish.api")


class Waiting:
    """`closing` is set when the process ends: whoever waits is let go."""

    def __init__(self, database: Database, bell: Bell) -> None:
        self.closing = threading.Event()
        self._database, self._bell = database, bell
        self._events: dict[int, list[threading.Event]] = {}
        self._mutex = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def listening(self, item_id: int) -> Iterator[threading.Event]:
        """An event that is set when the item has ended, or waiting for it is in vain."""
        with self._bell.listening(item_id) as event:
            with self._mutex:
                self._events.setdefault(item_id, []).append(event)
                self._start()
            if self.closing.is_set():
                event.set()
            try:
                yield event
            finally:
                with self._mutex:
                    events = self._events[item_id]
                    events.remove(event)
                    if not events:
                        del self._events[item_id]

    def close(self) -> None:
        """Let everybody go, and end the thread."""
        self.closing.set()
        if self._thread is not None:
            self._thread.join(5)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="waiting", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self.closing.wait(LOOK_SECONDS):
            with self._mutex:
                ids = list(self._events)
            if not ids:
                continue
            try:
                with self._database.read() as connection:
                    over = serving.settled(connection, ids)
            except PilotfishError as error:  # the database is away; the next look may find it
                log.warning("%s", error)
                continue
            self._let_go(over)
        with self._mutex:
            ids = list(self._events)
        self._let_go(ids)

    def _let_go(self, ids: Iterable[int]) -> None:
        with self._mutex:
            for item_id in ids:
                for event in self._events.get(item_id, ()):
                    event.set()
