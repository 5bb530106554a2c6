"""What a shelf remembers of the database: passages it has read, filters it has worked out.

Bounded, and shared by threads: nothing is handed out that another thread may still change.
Not here: reading either (shelf.py).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from pilotfish.types import Passage

PASSAGES = 20_000
FILTERS, IDS = 32, 1_000_000  # filters, and passage ids of all of them together


class Passages:
    """Passages of one revision of a collection, the newest that was asked for."""

    def __init__(self) -> None:
        self._revision = -1
        self._held: dict[int, Passage] = {}
        self._mutex = threading.Lock()

    def get(self, revision: int, ids: Iterable[int]) -> dict[int, Passage]:
        """Those of the passages that are remembered of this very revision."""
        with self._mutex:
            held = self._held if revision == self._revision else {}
            return {i: held[i] for i in ids if i in held}

    def put(self, revision: int, found: Mapping[int, Passage]) -> None:
        """Remember them, and forget what belongs to an older revision."""
        with self._mutex:
            if revision < self._revision:  # read before a change that others have seen
                return
            if revision > self._revision or len(self._held) + len(found) > PASSAGES:
                self._held = {}
            self._revision = revision
            self._held.update(found)


class Filters:
    """Passage ids that pass a filter, by (revision, condition); the least used go first."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[int, str], Sequence[int]] = OrderedDict()
        self._ids = 0
        self._mutex = threading.Lock()

    def get(self, key: tuple[int, str]) -> Sequence[int] | None:
        with self._mutex:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: tuple[int, str], ids: Sequence[int]) -> None:
        """Remember it, and forget others; one larger than all room is not remembered."""
        with self._mutex:
            if key in self._held or len(ids) > IDS:
                return
            self._held[key] = ids
            self._ids += len(ids)
            while len(self._held) > FILTERS or self._ids > IDS:
                self._ids -= len(self._held.popitem(last=False)[1])
