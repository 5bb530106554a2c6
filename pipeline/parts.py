"""What all items share: the opened collection, encoder, cross-encoder, workspace's secret.

Made once per process, collection and encoder. Recipes take it beside a purse, which belongs to one
item. Not here: anything that answers.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.pilot.reading import Judge
from pilotfish.settings import Settings
from pilotfish.types import Cells, Triple
from pipeline.policy import Policy
from prompters.spelling import Vocabulary
from retrievers.attached import Attached
from retrievers.embed import Encodes
from retrievers.graph.held import Graphs
from retrievers.manuals.held import Manuals
from retrievers.shelf import Shelf
from retrievers.sql import Sheets
from retrievers.tables.held import Tables
from store import documents, tables, triples
from verifiers.evidence import Vectors
from verifiers.trust import Reliance

Count = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class Parts:
    """Shared between threads; nothing in it belongs to one question but `reliance`, which
    Library.ask sets by the question's `max_error`.
    """

    settings: Settings
    shelf: Shelf
    embed: Callable[[Sequence[str]], Vectors]
    count: Count
    secret: bytes
    collection_id: int
    graphs: Graphs
    tables: Tables
    sheets: Sheets
    attached: Attached
    manuals: Manuals
    vocabulary: Vocabulary
    judge: Judge | None = None
    reliance: Reliance = field(default_factory=Reliance)
    policy: Policy | None = None

    def rarity(self, terms: Sequence[str]) -> dict[str, float]:
        """A weight for each index token: more for those that fewer passages have."""
        return self.shelf.opened().bm25.rarity(terms)

    def stands(self, source: Cells | Triple) -> bool:
        """Whether cited cells or a cited edge are stored as the citation has them."""
        here = self.collection_id
        if isinstance(source, Cells) and not source.rows:  # rows of elsewhere have no numbers
            return self.attached.stands(source)
        with self.shelf.database.read() as connection:
            if isinstance(source, Triple):
                edge = (source.subject, source.relation, source.object)
                return triples.stands(connection, here, source.document, edge)
            place = (source.document, source.table)
            read = tables.cells(connection, here, place, source.rows, source.columns)
            return read == source.values

    def read(self, document: str, start: int, end: int) -> str | None:
        """The stored characters [start, end) of a document, None when it is gone."""
        with self.shelf.database.read() as connection:
            return documents.slice_of(connection, self.collection_id, document, start, end)


class Memo:
    """Encodes each text once: verifiers look at the sentences that the extractor read."""

    def __init__(self, encoder: Encodes, size: int = 4096) -> None:
        self._encoder = encoder
        self._size = size
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._mutex = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), L2-normalised."""
        with self._mutex:
            found = {text: self._known[text] for text in texts if text in self._known}
        missing = list(dict.fromkeys(text for text in texts if text not in found))
        if missing:
            found.update(zip(missing, self._encoder.encode(missing, kind="query"), strict=True))
            self._keep(missing, found)
        if not texts:
            return np.zeros((0, self._encoder.dimension), dtype=np.float32)
        return np.stack([found[text] for text in texts])

    def _keep(self, missing: list[str], found: dict[str, Vectors]) -> None:
        with self._mutex:
            for text in missing:
                self._known[text] = found[text]
            while len(self._known) > self._size:
                self._known.popitem(last=False)


class Counts:
    """Counts the tokens of each text once: a passage comes back with many questions."""

    def __init__(self, count: Count, size: int = 20_000) -> None:
        self._count = count
        self._size = size
        self._known: dict[str, int] = {}
        self._mutex = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> list[int]:
        with self._mutex:
            found = {text: self._known[text] for text in texts if text in self._known}
        missing = list(dict.fromkeys(text for text in texts if text not in found))
        if missing:
            fresh = dict(zip(missing, self._count(missing), strict=True))
            found |= fresh
            with self._mutex:
                if len(self._known) + len(fresh) > self._size:
                    self._known.clear()
                self._known |= fresh
        return [found[text] for text in texts]
