"""The dense retriever: nearest passages to the question and every `query` hint, by cosine.

Where a query adapter was fitted to the collection (adapter.py), questions' vectors go through it.

A question that the encoder's vocabulary cannot express (Chinese for an English model) finds
nothing here and says so: noise must not enter the fusion. Not here: the index (dense_index.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pilotfish.types import Case
from retrievers.bm25 import best, queries
from retrievers.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Dense:
    """Puts the k nearest passages into the case, best first."""

    shelf: Shelf
    k: int = 100
    readable: float = 0.8
    name: str = "dense"

    def __call__(self, case: Case, /) -> Case:
        opened = self.shelf.opened()
        encoder = opened.encoder  # the one whose vectors the index holds
        texts = [text for text in queries(case) if encoder.readable(text) >= self.readable]
        if not texts:
            why = "left out: the encoder's vocabulary cannot express the question"
            return replace(case, passages=(), notes={"dense": why})
        depth = self.k + self.shelf.lost(opened)
        scope = case.question.scope
        allowed = self.shelf.allowed(scope.where, scope.kind)
        vectors, notes = encoder.encode(texts, kind="query"), {}
        kept = self.shelf.adapters.of(encoder.fingerprint)
        if kept is not None:
            vectors, notes = kept.adapter(vectors), {"adapter": f"{kept.adapter.how}; {kept.where}"}
        found = best(opened.dense.search(vector, depth, allowed) for vector in vectors)
        return replace(case, passages=self.shelf.fetch(found[:depth])[: self.k], notes=notes)
