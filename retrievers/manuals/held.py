"""A collection's manuals in memory: read once, again when the collection changes; for all threads.

38,000 sections of 7,400 pages take about 120 MB and are read in some seconds. Not here: searching.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from corpus.tokens import tokens
from retrievers.manuals.scope import Scope
from retrievers.manuals.traits import Page
from retrievers.shelf import Shelf
from store import manuals, passages
from store.manuals import ManualSection
from store.passages import Since


@dataclass(frozen=True, slots=True)
class Laid:
    """Pages ready to be searched. `ids`, `tokens`: of each section, in the order of the pages."""

    scope: Scope
    ids: NDArray[np.int64]
    tokens: tuple[frozenset[str], ...]

    def sections(self, page: int) -> range:
        """The places of a page's sections."""
        starts = self.scope.starts
        last = len(self.ids) if page + 1 == len(starts) else int(starts[page + 1])
        return range(int(starts[page]), last)


class Manuals:
    """`laid()` is None while the collection has no manuals, which costs one look-up."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._held: tuple[tuple[int, int, str], Laid] | None = None
        self._reading = threading.Lock()

    def laid(self) -> Laid | None:
        """The manuals as they are now."""
        if not self.shelf.allowed(None, "manual"):
            return None
        fingerprint = self.shelf.opened().encoder.fingerprint
        with self._reading:
            collection = self.shelf.collection()
            key = (collection.id, collection.revision, fingerprint)
            if self._held is None or self._held[0] != key:
                self._held = key, self._read(*key)
            return self._held[1] if len(self._held[1].ids) else None

    def _read(self, collection_id: int, revision: int, fingerprint: str) -> Laid:
        with self.shelf.database.read() as connection:
            rows = list(manuals.sections(connection, collection_id))
            since = Since(collection_id, 0, revision)
            known = dict(passages.vectors_since(connection, since, fingerprint))
        return laid(rows, known)


def laid(rows: Sequence[ManualSection], known: dict[int, bytes]) -> Laid:
    """Sections, and the float16 vectors of those that have one, as pages."""
    pages = [_page(list(some)) for _, some in groupby(rows, attrgetter("document"))]
    width = len(next(iter(known.values()), b"")) // 2
    matrix = np.zeros((len(rows), width), dtype=np.float32)
    for place, row in enumerate(rows):
        if row.id in known:
            matrix[place] = np.frombuffer(known[row.id], dtype="<f2")
    ids = np.array([row.id for row in rows], dtype=np.int64)
    words = tuple(frozenset(tokens(" ".join((*row.heading, row.text)))) for row in rows)
    return Laid(Scope(pages, matrix), ids, words)


def _page(rows: list[ManualSection]) -> Page:
    first = rows[0]
    return Page(first.document, first.title, first.platform, tuple(row.text for row in rows))
