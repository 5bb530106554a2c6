"""Finds tables: in words and in meaning, then by what of the question stands in them, and where.

Two rankings propose tables (BM25 over all cells, the encoder over the card). What tells the right
one from its neighbours is whether the question's rare words stand in its headers, whether a cell
is said whole, whether words stand side by side as they do in the question. The weights are fitted
on WikiTableQuestions' training tables (benchmarks/structured/fit_finding.py); the structural
features are in the spirit of T-RAG's table index (Zou et al. 2025, arXiv 2504.01346). Not here:
rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from corpus.tokens import tokens
from pilotfish.step import Step, run
from pilotfish.types import Case, Passage
from retrievers.tables.held import Tables, Words
from store.tables import Place

FEATURES = ("lexical", "dense", "all", "headers", "cell", "side by side", "length")
WEIGHTS = (2.9, 6.1, 3.3, 7.1, 11.8, 9.7, -0.45)
CANDIDATES = 50
DEPTH = 60  # of each of the two rankings
_CONSTANT = 60  # of reciprocal ranks
_GRAM = 6  # words of a cell that is looked for in the question

Rarity = Callable[[Sequence[str]], dict[str, float]]


@dataclass(frozen=True, slots=True)
class TableSearch:
    """Puts the best passage of each of the k best tables into the case.

    `lexical`, `dense`: retrievers of passages, asked for tables alone; `rarity`: a weight for each
    word, more for rarer ones.
    """

    tables: Tables
    lexical: Step
    dense: Step
    rarity: Rarity
    k: int = 10
    name: str = "tables"

    def __call__(self, case: Case, /) -> Case:
        asked, first, figures = self._seen(case)
        scores = {
            place: sum(w * f for w, f in zip(WEIGHTS, some, strict=True))
            for place, some in figures.items()
        }
        best = sorted(scores, key=lambda place: (-scores[place], place))[: self.k]
        found = tuple(replace(first[place], score=round(scores[place], 4)) for place in best)
        return replace(case, passages=found, trace=asked.trace)

    def candidates(self, case: Case) -> dict[Place, tuple[float, ...]]:
        """The figures of FEATURES for each table that the two rankings propose."""
        return self._seen(case)[2]

    def _seen(
        self, case: Case
    ) -> tuple[Case, dict[Place, Passage], dict[Place, tuple[float, ...]]]:
        scope = replace(case.question.scope, kind="table")
        asked = replace(case, question=replace(case.question, scope=scope), passages=())
        ranks: list[dict[Place, int]] = []
        first: dict[Place, Passage] = {}
        for step in (self.lexical, self.dense):
            asked = run(step, replace(asked, passages=()))
            ranks.append(_ranks(asked.passages, first))
        return asked, first, self._figures(case.question.text, ranks[0], ranks[1])

    def _figures(
        self, question: str, lexical: dict[Place, int], dense: dict[Place, int]
    ) -> dict[Place, tuple[float, ...]]:
        near = {place: (_near(lexical.get(place)), _near(dense.get(place)))
                for place in {**lexical, **dense}}  # fmt: skip
        candidates = sorted(near, key=lambda place: (-sum(near[place]), place))[:CANDIDATES]
        asked = tokens(question)
        weights = self.rarity(asked)
        return {
            place: (*near[place], *figures_of(asked, weights, words))
            for place in candidates
            if (words := self.tables.words(place)) is not None
        }


def figures_of(
    asked: Sequence[str], weights: dict[str, float], words: Words
) -> tuple[float, float, float, float, float]:
    """The shares of the question's rare words that a table has: anywhere, in its headers, as one
    whole cell, side by side; and how long the table is.
    """
    distinct = list(dict.fromkeys(asked))
    whole = sum(weights[token] for token in distinct) or 1.0
    pairs = list(pairwise(asked))
    said = [
        asked[at : at + size]
        for size in range(1, _GRAM + 1)
        for at in range(len(asked) - size + 1)
        if tuple(asked[at : at + size]) in words.cells
    ]
    return (
        sum(weights[t] for t in distinct if t in words.every) / whole,
        sum(weights[t] for t in distinct if t in words.headers) / whole,
        max((sum(weights[t] for t in gram) for gram in said), default=0.0) / whole,
        sum(weights[a] + weights[b] for a, b in pairs if (a, b) in words.pairs) / (2 * whole),
        math.log1p(words.rows),
    )


def _near(rank: int | None) -> float:
    """1 for the first of a ranking, falling with the rank; that of the last for none."""
    return (_CONSTANT + 1) / (_CONSTANT + (DEPTH if rank is None else rank))


def _ranks(passages: Sequence[Passage], first: dict[Place, Passage]) -> dict[Place, int]:
    """Tables in the order of their best passages, from 1; `first` gets each table's passage."""
    ranks: dict[Place, int] = {}
    for passage in passages:
        if passage.place.table is not None:
            place = (passage.document, passage.place.table)
            ranks.setdefault(place, len(ranks) + 1)
            first.setdefault(place, passage)
    return ranks
