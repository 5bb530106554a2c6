"""Reciprocal rank fusion of several retrievers (Cormack, Clarke, Buettcher, SIGIR 2009).

Score of a passage = sum over retrievers of 1 / (60 + rank). A retriever that fails is left
out and traced; when all fail the item has failed. Not here: the retrievers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pilotfish.errors import IndexCorrupt, RetrievalFailed
from pilotfish.step import Step, run
from pilotfish.types import Case, Passage

RANK_CONSTANT = 60


@dataclass(frozen=True, slots=True)
class Fuse:
    """Runs every retriever on the case and keeps the k best passages of all."""

    retrievers: tuple[Step, ...]
    k: int = 10
    constant: int = RANK_CONSTANT
    name: str = "fuse"

    def __call__(self, case: Case, /) -> Case:
        lists: list[tuple[Passage, ...]] = []
        reasons: list[str] = []
        for retriever in self.retrievers:
            before = len(case.trace)
            try:
                done = run(retriever, replace(case, passages=()))
            except IndexCorrupt as error:
                case = replace(case, trace=error.trace)
                reasons.append(str(error))
                continue
            case = replace(case, trace=done.trace)
            failed = [event.error for event in done.trace[before:] if event.error]
            reasons.extend(failed)
            if not failed:
                lists.append(done.passages)
        if not lists:
            raise RetrievalFailed(f"no retriever succeeded: {'; '.join(reasons) or 'none is set'}")
        return replace(case, passages=fused(lists, self.constant, self.k))


def fused(
    lists: Sequence[Sequence[Passage]], constant: int = RANK_CONSTANT, k: int | None = None
) -> tuple[Passage, ...]:
    """The k best passages of all lists (None: all), by the sum of their reciprocal ranks."""
    scores: dict[int, float] = {}
    passages: dict[int, Passage] = {}
    for ranking in lists:
        for rank, passage in enumerate(ranking, start=1):
            scores[passage.id] = scores.get(passage.id, 0.0) + 1.0 / (constant + rank)
            passages.setdefault(passage.id, passage)
    order = sorted(scores, key=lambda i: (-scores[i], i))[:k]
    return tuple(replace(passages[i], score=scores[i]) for i in order)
