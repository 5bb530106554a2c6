"""The lexical retriever: BM25 over the question and every `query` hint.

Not here: the index (bm25_index.py) and its tokens (corpus/tokens.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pilotfish.types import Case
from retrievers.shelf import Shelf


@dataclass(frozen=True, slots=True)
class BM25:
    """Puts the k best passages by BM25 into the case, best first."""

    shelf: Shelf
    k: int = 100
    name: str = "bm25"

    def __call__(self, case: Case, /) -> Case:
        opened = self.shelf.opened()
        depth = self.k + self.shelf.lost(opened)
        scope = case.question.scope
        allowed = self.shelf.allowed(scope.where, scope.kind)
        found = best(opened.bm25.search(text, depth, allowed) for text in queries(case))
        return replace(case, passages=self.shelf.fetch(found[:depth])[: self.k])


def queries(case: Case) -> list[str]:
    """The question, then every distinct `query` hint."""
    hints = [hint.text for hint in case.hints if hint.kind == "query"]
    return list(dict.fromkeys([case.question.text, *hints]))


def best(lists: Iterable[list[tuple[int, float]]]) -> list[tuple[int, float]]:
    """(id, highest score over all lists), best first."""
    scores: dict[int, float] = {}
    for hits in lists:
        for passage, score in hits:
            scores[passage] = max(score, scores.get(passage, score))
    return sorted(scores.items(), key=lambda hit: (-hit[1], hit[0]))
