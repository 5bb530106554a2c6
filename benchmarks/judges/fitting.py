"""Fits the judges that stand over the cross-encoder: a softmax over what verdict.py sees.

Fitted on rows the cross-encoder was not trained on, each set weighing the same. Figures are
cross-fitted by groups of rows that share a claim or a text. Not here: gathering, reporting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from models.training.examples import REFUSED, share
from verifiers.weights import Logistic

Array = NDArray[np.float64]
PENALTY, FOLDS = 3.0, 5
Features = Mapping[str, float]


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
    features: Mapping[str, float]


def fit(rows: Sequence[Seen], names: Sequence[str], penalty: float = PENALTY) -> Judge:
    """{"supported": {bias, weights}, "contradicted": ...} over the features `names`."""
    matrix = np.array([[row.features[name] for name in names] for row in rows])
    middle, spread = matrix.mean(0), matrix.std(0) + 1e-6
    table = np.c_[(matrix - middle) / spread, np.ones(len(rows))]
    labels = np.array([row.verdict for row in rows])
    weights = _by_set([row.set for row in rows])
    size = table.shape[1]

    def loss(flat: Array) -> tuple[float, Array]:
        nats, gradient = _softmax_loss(flat.reshape(2, size), table, labels, weights)
        ridge = flat.reshape(2, size).copy()
        ridge[:, -1] = 0.0
        return nats + penalty / 2 * float((ridge**2).sum()), (gradient + penalty * ridge).ravel()

    best = minimize(loss, np.zeros(2 * size), jac=True, method="L-BFGS-B").x.reshape(2, size)
    return {
        "supported": _plain(best[0], names, middle, spread),
        "contradicted": _plain(best[1], names, middle, spread),
    }


def binary(rows: Sequence[Features], right: Sequence[bool]) -> Side:
    """{bias, weights} of a logistic P(right), under the same penalty on standardised features."""
    names = list(rows[0])
    matrix = np.array([[row[name] for name in names] for row in rows])
    middle, spread = matrix.mean(0), matrix.std(0) + 1e-6
    made = LogisticRegression(C=1.0 / PENALTY, max_iter=1000)
    made.fit((matrix - middle) / spread, np.array(right))
    return _plain(np.r_[made.coef_[0], made.intercept_], names, middle, spread)


def chances(judge: Side, rows: Sequence[Features]) -> Array:
    """P of each row by what `binary` gave."""
    return 1.0 / (1.0 + np.exp(-np.array([_score(judge, row) for row in rows])))


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


def _softmax_loss(
    parameters: Array, table: Array, labels: NDArray[np.int64], weights: Array
) -> tuple[float, Array]:
    """Weighted negative log likelihood; REFUSED means either of the two that are no support."""
    scores = np.c_[table @ parameters.T, np.zeros(len(table))]
    scores -= scores.max(1, keepdims=True)
    chance = np.exp(scores)
    chance /= chance.sum(1, keepdims=True)
    target = np.zeros_like(chance)
    plain = labels != REFUSED
    target[plain, labels[plain]] = 1.0
    rest = chance[:, 1:].sum(1) + 1e-12
    target[~plain, 1:] = chance[~plain, 1:] / rest[~plain, None]
    picked = np.where(plain, chance[np.arange(len(labels)), np.minimum(labels, 2)], rest)
    nats = -(weights * np.log(picked + 1e-12)).sum()
    slope = (chance - target)[:, :2] * weights[:, None]
    return float(nats), slope.T @ table


def _by_set(sets: Sequence[str]) -> Array:
    """Weights by which each set counts the same; they sum to the number of rows."""
    found, counts = np.unique(sets, return_counts=True)
    each = dict(zip(found, len(sets) / len(found) / counts, strict=True))
    return np.array([each[name] for name in sets])


def _plain(row: Array, names: Sequence[str], middle: Array, spread: Array) -> Side:
    """Weights of the features as they are, not standardised."""
    slopes = row[:-1] / spread
    bias = float(row[-1] - (slopes * middle).sum())
    weights = {name: round(float(slope), 4) for name, slope in zip(names, slopes, strict=True)}
    return Side(bias=round(bias, 4), weights=weights)


def scores(judge: Judge, rows: Sequence[Seen]) -> Array:
    """(rows, 3): P(supported), P(contradicted), P(unsupported)."""
    found = []
    for row in rows:
        pro, con = (_score(judge[side], row.features) for side in ("supported", "contradicted"))
        raw = np.exp(np.array([pro, con, 0.0]) - max(pro, con, 0.0))
        found.append(raw / raw.sum())
    return np.array(found)


def _score(side: Side, features: Features) -> float:
    return Logistic(side["bias"], side["weights"]).score(features)


def crossfitted(rows: Sequence[Seen], names: Sequence[str], others: Sequence[Seen] = ()) -> Array:
    """P of each row by a judge fitted without its fold; `others` are always fitted on."""
    folds = _folds([row.group for row in rows])
    found = np.zeros((len(rows), 3))
    for fold in range(FOLDS):
        train = [row for row, own in zip(rows, folds, strict=True) if own != fold]
        test = np.flatnonzero(folds == fold)
        if len(test):
            found[test] = scores(fit([*train, *others], names), [rows[i] for i in test])
    return found
