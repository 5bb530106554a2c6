"""BERTScore: how well the tokens of two texts match, each with its nearest (arXiv 1904.09675).

Precision: each token of the candidate takes its highest cosine among the reference's tokens;
recall the other way round; both are means, weighted by idf when one is given. Special tokens take
part on neither side. Not here: vectors (token_vectors.py), which texts are compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.token_vectors import Tokens


@dataclass(frozen=True, slots=True)
class Matched:
    """Cosines between -1 and 1; 0 throughout where either text has no token."""

    precision: float
    recall: float
    f1: float

    def rescaled(self, baseline: Matched) -> Matched:
        """On a scale where `baseline` (what texts score by chance) is 0 and equal texts are 1."""
        pairs = [
            (self.precision, baseline.precision),
            (self.recall, baseline.recall),
            (self.f1, baseline.f1),
        ]
        return Matched(*((value - low) / max(1e-9, 1.0 - low) for value, low in pairs))


@dataclass(frozen=True, slots=True)
class Idf:
    """Weights of token ids; `unseen` is the weight of a token that no reference has."""

    weights: Mapping[int, float]
    unseen: float

    def __call__(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([self.weights.get(int(one), self.unseen) for one in ids])


def idf(references: Sequence[NDArray[np.int64]]) -> Idf:
    """log((M + 1) / (df + 1)) over the M references' token ids: rare tokens count more."""
    total = len(references) + 1
    seen = Counter(int(token) for ids in references for token in np.unique(ids))
    weights = {token: math.log(total / (count + 1)) for token, count in seen.items()}
    return Idf(weights, math.log(total))


def match(candidate: Tokens, reference: Tokens, weigh: Idf | None = None) -> Matched:
    """Greedy matching of one pair of texts."""
    if not len(candidate.ids) or not len(reference.ids):
        return Matched(0.0, 0.0, 0.0)
    cosines = candidate.vectors @ reference.vectors.T
    precision = _mean(cosines.max(axis=1), candidate, weigh)
    recall = _mean(cosines.max(axis=0), reference, weigh)
    total = precision + recall
    return Matched(precision, recall, 2 * precision * recall / total if total > 0 else 0.0)


def _mean(best: NDArray[np.float32], tokens: Tokens, weigh: Idf | None) -> float:
    """Weighted by idf; plain where every token of the text weighs nothing."""
    weights = np.ones(len(best)) if weigh is None else weigh(tokens.ids)
    if weights.sum() <= 0:
        weights = np.ones(len(best))
    return float((best * weights).sum() / weights.sum())
