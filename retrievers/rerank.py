"""Reorders the first passages by a cross-encoder, blended with the rank they came with.

The blend keeps an exact hit that the model does not understand near the top (Nogueira and Cho
2019, arXiv 1901.04085, rerank by the model alone: the baseline, `weight` 1). Not here: retrieval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.pilot.chosen import of_questions
from models.pilot.reading import Judge, shown
from pilotfish.step import Step, run
from pilotfish.types import Case, Passage

DEPTH = 20  # passages the model reads
WEIGHT = 0.5  # of the model's order against the retrieval's


@dataclass(frozen=True, slots=True)
class Rerank:
    """Runs `retrieve`, lets the model read its first `depth` passages, and keeps `k` of all."""

    retrieve: Step
    model: Judge
    k: int = 10
    depth: int = DEPTH
    weight: float = WEIGHT
    name: str = "rerank"

    def __call__(self, case: Case, /) -> Case:
        case = run(self.retrieve, case)
        read = case.passages[: self.depth]
        if len(read) < 2:
            return replace(case, passages=case.passages[: self.k])
        readings = of_questions(self.model)(
            [(case.question.text, shown(passage.title, passage.text)) for passage in read]
        )
        order = blended([one.helps for one in readings], self.weight)
        moved = tuple(read[place] for place in order) + case.passages[self.depth :]
        notes = {"relevance": [round(readings[place].relevance, 2) for place in order[: self.k]]}
        return replace(case, passages=_scored(moved)[: self.k], notes=notes)


def blended(chances: Sequence[float], weight: float) -> list[int]:
    """Places by weight x P(relevant) + (1 - weight) x 1 / log2(rank + 1), best first."""
    scores = [
        weight * chance + (1.0 - weight) / math.log2(rank + 2)
        for rank, chance in enumerate(chances)
    ]
    return sorted(range(len(scores)), key=lambda place: (-scores[place], place))


def _scored(passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """Scores that fall with the new order, as every retriever's do."""
    return tuple(replace(p, score=1.0 / (60 + rank)) for rank, p in enumerate(passages, start=1))
