"""Retrieval measures and a paired bootstrap, on plain dicts. Not here: any retriever.

nDCG after Jarvelin and Kekalainen (TOIS 2002) with gain 2^grade - 1; tests compare nothing to
this file: the grades of the development sets are all 1, where every common variant agrees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Qrels = Mapping[str, Mapping[str, int]]
Run = Mapping[str, Sequence[str]]
PerQuery = dict[str, float]


def ndcg(run: Run, qrels: Qrels, k: int = 10) -> PerQuery:
    """nDCG@k of each judged query; a query without results scores 0."""
    return {query: _ndcg(run.get(query, ()), grades, k) for query, grades in qrels.items()}


def _ndcg(found: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    gained = _dcg([grades.get(document, 0) for document in found[:k]])
    return gained / _dcg(sorted(grades.values(), reverse=True)[:k])


def _dcg(grades: Sequence[int]) -> float:
    gains = ((2.0**grade - 1) / math.log2(rank + 2) for rank, grade in enumerate(grades))
    return float(sum(gains))


def recall(run: Run, qrels: Qrels, k: int) -> PerQuery:
    """Share of a query's relevant documents among its first k."""
    return {
        query: len(set(run.get(query, ())[:k]) & set(grades)) / len(grades)
        for query, grades in qrels.items()
    }


def mean(values: PerQuery) -> float:
    return float(np.mean(list(values.values()))) if values else 0.0


def differences(one: PerQuery, other: PerQuery) -> NDArray[np.float64]:
    """Paired differences, query by query."""
    return np.array([one[query] - other[query] for query in sorted(one)])


def interval(
    sets: Sequence[NDArray[np.float64]], rounds: int = 10_000, seed: int = 0
) -> tuple[float, float, float]:
    """Mean over sets of the mean difference, with its 95 % paired bootstrap interval.

    Queries are drawn with replacement within each set (Efron and Tibshirani 1993).
    """
    random = np.random.default_rng(seed)
    total = np.zeros(rounds)
    for values in sets:
        for start in range(0, rounds, 500):
            drawn = random.integers(0, len(values), (500, len(values)))
            total[start : start + 500] += values[drawn].mean(axis=1)
    total /= len(sets)
    low, high = np.percentile(total, [2.5, 97.5])
    return float(np.mean([values.mean() for values in sets])), float(low), float(high)


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p95 in milliseconds."""
    p50, p95 = np.percentile(np.asarray(seconds) * 1000, [50, 95])
    return {"p50_ms": round(float(p50), 3), "p95_ms": round(float(p95), 3)}


def median(values: Sequence[float]) -> float:
    return float(np.median(values))
