"""Vectors for the passages that lack one, window by window, each stored as it is ready.

Interrupted, it goes on where it was. `beside` encodes in a thread of its own while documents
are still being parsed: parsing keeps one core busy, encoding takes the rest. Not here: indexes.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, Protocol

from retrievers.dense_index import Vectors
from store import collections, passages
from store.database import Database, locked

WINDOW = 256  # passages encoded between two commits
_PATIENCE = 0.5  # seconds between two looks at work that another process may be doing
log = logging.getLogger("pilotfish.embed")
Progress = Callable[[int], None]


class Encodes(Protocol):
    """What retrievers need of an encoder (models/encoder.py has one)."""

    fingerprint: str
    dimension: int

    def encode(
        self, texts: Sequence[str], *, kind: Literal["passage", "query"] = ...
    ) -> Vectors: ...

    def readable(self, text: str) -> float: ...


class Encoders(Protocol):
    """The encoder of a name; loaded anew when the known one has another fingerprint."""

    def __call__(self, name: str, fingerprint: str | None = None, /) -> Encodes: ...


class Embedder:
    """Fills in the vectors of one collection, by the encoder it has at the time.

    `lock`: the file that says who is at it.
    """

    def __init__(
        self, database: Database, name: str, encoders: Encoders, lock: Path, progress: Progress
    ) -> None:
        self.database, self.name, self.encoders = database, name, encoders
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
        encoder = self.encoders(collection.encoder)
        with self.database.read() as connection:
            rows = passages.unembedded(connection, collection.id, encoder.fingerprint, WINDOW)
        if not rows:
            return False
        vectors = encoder.encode([text for _, text in rows]).astype("<f2")
        pairs = [(sha, vector.tobytes()) for (sha, _), vector in zip(rows, vectors, strict=True)]
        with self.database.write() as connection:
            passages.put_vectors(connection, encoder.fingerprint, pairs)
        self.progress(len(rows))
        return True

    def wake(self) -> None:
        """Say that there are new passages."""
        self._news.set()

    @contextlib.contextmanager
    def beside(self) -> Iterator[Callable[[], None]]:
        """Encode in a thread until the block is left; gives `wake`.

        What is then missing is for the `catch_up` that follows, which meets a lasting error too.
        """
        with ThreadPoolExecutor(1, "embed") as pool:
            work = pool.submit(self._follow)
            try:
                yield self.wake
            finally:
                self._stopped = True
                self._news.set()
        error = work.exception()
        if error is not None:
            log.info("encoding beside the parsers stopped: %s: %s", type(error).__name__, error)

    def _follow(self) -> None:
        while not self._stopped:
            self._news.wait()
            self._news.clear()
            while not self._stopped and self._one_locked():
                pass

    def _one_locked(self) -> bool:
        """One window under the lock; another process that holds it is given some time."""
        with locked(self.lock, wait=False) as mine:
            if mine:
                return self._window()
        self._news.clear()  # else a waiting message would end the wait at once, again and again
        self._news.wait(_PATIENCE)
        return True
