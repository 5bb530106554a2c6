"""Fits the judges that stand over the cross-encoder: logistics of few features, strongly held back.

`supported` against the rest, then `contradicted` among the rest; each set weighs the same. Weights
of either sign and the texts' lengths fit the sets and fail on others; fit.py prints what each
penalty gives with one licensed set left out after the other. The sets without a licence were looked
at too when features and penalty were chosen. Figures are cross-fitted by groups of rows that
share a claim or a text. Not here: gathering, reporting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.training.examples import CONTRADICTED, REFUSED, SUPPORTED, share
from verifiers.weights import Logistic, staged

Array = NDArray[np.float64]
Features = Mapping[str, float]
Signs = Mapping[str, int]  # of each feature that is used: 1, -1, or 0 for either
FOLDS, FREE, HELD = 5, 3.0, 100.0  # penalties
FOR: Signs = {"overlap": 1, "cosine": 1, "near for": 1, "single for": 1, "numbers": -1,
              "negation": -1, "near against": -1, "denied": -1}  # fmt: skip
SPAN: Signs = {"margin": 1, "gap": 1, "relevance": 1, "first": 1, "agree": 1, "kind": 1,
               "words": -1, "long": -1, "whole": 1, "names": -1, "polar": -1, "composed": -1,
               "carried": 1}  # fmt: skip
AGAINST: Signs = {"overlap": 1, "near against": 1, "single against": 1, "numbers": 1,
                  "negation": 1}  # fmt: skip


class Side(TypedDict):
    """One linear score, as weights.json keeps it."""

    bias: float
    weights: dict[str, float]


Judge = dict[str, Side]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the judge sees of one pair."""

    set: str
    group: str
    verdict: int
    features: Features


def fit(rows: Sequence[Seen], signs: Signs = FOR, penalty: float = HELD) -> Judge:
    """{"supported": P(supported), "contradicted": P(contradicted) of what is not supported}.

    Rows that only say "not supported" teach the first alone.
    """
    told = [row for row in rows if row.verdict not in (SUPPORTED, REFUSED)]
    return {
        "supported": _by_set(rows, SUPPORTED, signs, penalty),
        "contradicted": _by_set(told, CONTRADICTED, AGAINST, penalty) if told else _NEVER,
    }


_NEVER = Side(bias=0.0, weights={})


def _by_set(rows: Sequence[Seen], verdict: int, signs: Signs, penalty: float) -> Side:
    used = {name: sign for name, sign in signs.items() if name in rows[0].features}
    labels = [row.verdict == verdict for row in rows]
    sets, counts = np.unique([row.set for row in rows], return_counts=True)
    each = dict(zip(sets, len(rows) / len(sets) / counts, strict=True))
    weights = np.array([each[row.set] for row in rows])
    features = [row.features for row in rows]
    return _stretched(
        logistic(features, labels, (used, penalty), weights), features, labels, weights
    )


def _stretched(
    side: Side, rows: Sequence[Features], labels: Sequence[bool], weights: Array
) -> Side:
    """The same order, but as sure as the labels are: a penalty makes weights timid."""
    made = Logistic(side["bias"], side["weights"])
    line = [{"score": made.score(row)} for row in rows]
    scale = logistic(line, labels, ({"score": 1}, 0.0), weights)
    times = scale["weights"]["score"]
    return Side(bias=round(scale["bias"] + times * side["bias"], 4),
                weights={n: round(times * w, 4) for n, w in side["weights"].items()})  # fmt: skip


def binary(rows: Sequence[Features], right: Sequence[bool]) -> Side:
    """P(right) from all features, each of its sign: no missing name may raise it by chance."""
    return logistic(rows, right, ({name: SPAN[name] for name in rows[0]}, FREE))


def logistic(
    rows: Sequence[Features],
    labels: Sequence[bool],
    how: tuple[Signs, float],
    weights: Array | None = None,
) -> Side:
    """Ridge over standardised features, each weight of its sign; in the features' own units."""
    signs, penalty = how
    matrix = np.array([[row[name] for name in signs] for row in rows])
    middle, spread = matrix.mean(0), matrix.std(0) + 1e-6
    table, truth = np.c_[(matrix - middle) / spread, np.ones(len(rows))], np.array(labels, float)
    each = np.ones(len(rows)) if weights is None else weights

    def loss(w: Array) -> tuple[float, Array]:
        chance = 1 / (1 + np.exp(-np.clip(table @ w, -30, 30)))
        nats = truth * np.log(chance + 1e-12) + (1 - truth) * np.log(1 - chance + 1e-12)
        ridge = np.r_[w[:-1], 0.0]
        gradient = table.T @ (each * (chance - truth)) + penalty * ridge
        return float(penalty / 2 * (ridge**2).sum() - (each * nats).sum()), gradient

    bounds = [_BOUNDS[sign] for sign in signs.values()] + [(None, None)]
    best = minimize(loss, np.zeros(len(signs) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    slopes = best[:-1] / spread
    found = {name: round(float(slope), 4) for name, slope in zip(signs, slopes, strict=True)}
    return Side(bias=round(float(best[-1] - (slopes * middle).sum()), 4), weights=found)


_BOUNDS: dict[int, tuple[float | None, float | None]] = {
    1: (0, None), -1: (None, 0), 0: (None, None)
}  # fmt: skip


def chances(judge: Side, rows: Sequence[Features]) -> Array:
    """P of each row by one logistic."""
    made = Logistic(judge["bias"], judge["weights"])
    return np.array([made(row) for row in rows])


def scores(judge: Judge, rows: Sequence[Seen]) -> Array:
    """(rows, 3): P(supported), P(contradicted), P(unsupported), as they are served."""
    first, second = (Logistic(judge[side]["bias"], judge[side]["weights"])
                     for side in ("supported", "contradicted"))  # fmt: skip
    return np.array([staged(first, second, row.features) for row in rows])


def crossfitted(rows: Sequence[Seen], signs: Signs = FOR, penalty: float = HELD) -> Array:
    """P of each row by a judge fitted without its fold."""
    folds, found = _folds([row.group for row in rows]), np.zeros((len(rows), 3))
    for fold in range(FOLDS):
        train = [row for row, own in zip(rows, folds, strict=True) if own != fold]
        test = np.flatnonzero(folds == fold)
        if len(test):
            found[test] = scores(fit(train, signs, penalty), [rows[i] for i in test])
    return found


def binary_crossfitted(
    rows: Sequence[Features], right: Sequence[bool], groups: Sequence[str]
) -> Array:
    """P of each row by a judge fitted without the fold of its group."""
    folds, found = _folds(groups), np.zeros(len(rows))
    for fold in range(FOLDS):
        kept, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if len(test):
            made = binary([rows[i] for i in kept], [right[i] for i in kept])
            found[test] = chances(made, [rows[i] for i in test])
    return found


def _folds(groups: Sequence[str]) -> NDArray[np.int64]:
    return np.array([int(share("fold " + group) * FOLDS) for group in groups])
