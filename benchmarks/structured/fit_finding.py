"""Fits the weights by which tables are found: `python -m benchmarks.structured.fit_finding`.

On questions of wtq_train, whose tables are others than those of wtq_dev, all of them in one
collection. Prints the weights, and what finding.py will measure with them. Not here: the features
(retrievers/tables/rank.py).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Row, lines
from benchmarks.ground import ground
from benchmarks.structured.finding import collection
from pilotfish.types import Case, Question
from pipeline.library import Library
from pipeline.wiring import table_search
from retrievers.tables.rank import FEATURES, TableSearch

ASKED = 600
PENALTY, ROUNDS, RATE = 0.002, 800, 0.3

Seen = tuple[NDArray[np.float64], int]  # features of the candidates, and which is right


def main() -> int:
    """Prints weights; 0."""
    here = ground(quick=False)
    library = collection(here, "wtq")
    rows = lines(here.data / "tables" / "wtq_train.jsonl.gz")
    random.Random(3).shuffle(rows)
    search = table_search(library.parts, 10)
    seen = [one for row in rows[:ASKED] if (one := _seen(library, search, row))]
    weights = fitted(seen)
    print(dict(zip(FEATURES, np.round(weights, 2).tolist(), strict=True)))
    print(f"the right table is first for {_first(seen, weights):.3f} of {len(seen)} that hold it")
    return 0


def _seen(library: Library, search: TableSearch, row: Row) -> Seen | None:
    """The features of a question's candidates; None where the right table is not among them."""
    found = search.candidates(Case(library.checked(Question(row["question"]))))
    places = list(found)
    at = next((i for i, place in enumerate(places) if place[0] == row["table_id"]), None)
    return None if at is None else (np.array([found[place] for place in places]), at)


def fitted(seen: Sequence[Seen]) -> NDArray[np.float64]:
    """Softmax over each question's candidates, by gradient descent on standardised features."""
    every = np.concatenate([features for features, _ in seen])
    mean, scale = every.mean(axis=0), every.std(axis=0) + 1e-9
    weights = np.zeros(every.shape[1])
    for _ in range(ROUNDS):
        slope = PENALTY * weights
        for features, at in seen:
            rows = (features - mean) / scale
            chances = np.exp(rows @ weights - (rows @ weights).max())
            chances /= chances.sum()
            slope += (rows.T @ chances - rows[at]) / len(seen)
        weights -= RATE * slope
    made: NDArray[np.float64] = weights / scale
    return made


def _first(seen: Sequence[Seen], weights: NDArray[np.float64]) -> float:
    return float(np.mean([int((features @ weights).argmax()) == at for features, at in seen]))


if __name__ == "__main__":
    sys.exit(main())
