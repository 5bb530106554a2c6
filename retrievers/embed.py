"""Vectors for the passages that lack one, window by window, each stored as it is ready.

Interrupted, it goes on where it was. `beside` encodes in a thread of its own while documents
are still being parsed: parsing keeps one core busy, encoding takes the rest. Not here: indexes.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pilotfish.errors import PilotfishError
from store import collections, passages
from store.database import Database, locked

if TYPE_CHECKING:
    from retrievers.shelf import Encodes

WINDOW = 256  # passages encoded between two commits
_PATIENCE = 0.5  # seconds between two looks at work that another process may be doing
log = logging.getLogger("pilotfish.embed")
Progress = Callable[[int], None]


class Embedder:
    """Fills in the vectors of one collection. `lock`: the file that says who is at it."""

    def __init__(
        self, database: Database, name: str, encoder: Encodes, lock: Path, progress: Progress
    ) -> None:
        self.database, self.name, self.encoder = database, name, encoder
        self.lock, self.progress = lock, progress
        self._stopped = False
        self._news = threading.Event()

    def catch_up(self) -> None:
        """Encode until every passage has its vector; the caller holds the lock."""
        while self._window():
            pass

    def _window(self) -> bool:
        """One window; False when nothing was missing."""
        with self.database.read() as connection:
            collection = collections.find(connection, self.name)
            rows = passages.unembedded(connection, collection.id, self.encoder.fingerprint, WINDOW)
        if not rows:
            return False
        vectors = self.encoder.encode([text for _, text in rows]).astype("<f2")
        pairs = [(sha, vector.tobytes()) for (sha, _), vector in zip(rows, vectors, strict=True)]
        with self.database.write() as connection:
            passages.put_vectors(connection, self.encoder.fingerprint, pairs)
        self.progress(len(rows))
        return True

    def wake(self) -> None:
        """Say that there are new passages."""
        self._news.set()

    @contextlib.contextmanager
    def beside(self) -> Iterator[Callable[[], None]]:
        """Encode in a thread until the block is left; gives `wake`.

        What is then missing, and any error, is for the `catch_up` that follows.
        """
        thread = threading.Thread(target=self._follow, name="embed", daemon=True)
        thread.start()
        try:
            yield self.wake
        finally:
            self._stopped = True
            self._news.set()
            thread.join()

    def _follow(self) -> None:
        try:
            while not self._stopped:
                self._news.wait()
                self._news.clear()
                while not self._stopped and self._one_locked():
                    pass
        except PilotfishError as error:
            log.info("encoding beside the parsers stopped: %s", error)

    def _one_locked(self) -> bool:
        """One window under the lock; another process that holds it is given some time."""
        with locked(self.lock, wait=False) as mine:
            if mine:
                return self._window()
        self._news.clear()  # else a waiting message would end the wait at once, again and again
        self._news.wait(_PATIENCE)
        return True
