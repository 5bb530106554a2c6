"""Fits the judges that stand over the cross-encoder: a softmax over what verdict.py sees.

Fitted on rows the cross-encoder was not trained on, each set weighing the same. Figures are
cross-fitted by groups of rows that share a claim or a text. Not here: gathering, reporting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.training.examples import CONTRADICTED, REFUSED, SUPPORTED, share

Array = NDArray[np.float64]
PENALTY, FOLDS = 3.0, 5
Judge = dict[str, dict[str, object]]


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


def _plain(row: Array, names: Sequence[str], middle: Array, spread: Array) -> dict[str, object]:
    """Weights of the features as they are, not standardised."""
    slopes = row[:-1] / spread
    bias = float(row[-1] - (slopes * middle).sum())
    weights = {name: round(float(slope), 4) for name, slope in zip(names, slopes, strict=True)}
    return {"bias": round(bias, 4), "weights": weights}


def scores(judge: Judge, rows: Sequence[Seen]) -> Array:
    """(rows, 3): P(supported), P(contradicted), P(unsupported)."""
    found = []
    for row in rows:
        pro, con = (_score(judge[side], row.features) for side in ("supported", "contradicted"))
        raw = np.exp(np.array([pro, con, 0.0]) - max(pro, con, 0.0))
        found.append(raw / raw.sum())
    return np.array(found)


def _score(side: dict[str, object], features: Mapping[str, float]) -> float:
    weights: Mapping[str, float] = side["weights"]  # type: ignore[assignment]
    return float(side["bias"]) + sum(w * features[n] for n, w in weights.items())  # type: ignore[arg-type]


def crossfitted(rows: Sequence[Seen], names: Sequence[str], others: Sequence[Seen] = ()) -> Array:
    """P of each row by a judge fitted without its fold; `others` are always fitted on."""
    folds = np.array([int(share("fold " + row.group) * FOLDS) for row in rows])
    found = np.zeros((len(rows), 3))
    for fold in range(FOLDS):
        train = [row for row, own in zip(rows, folds, strict=True) if own != fold]
        test = np.flatnonzero(folds == fold)
        if len(test):
            found[test] = scores(fit([*train, *others], names), [rows[i] for i in test])
    return found


__all__ = ["CONTRADICTED", "SUPPORTED", "Judge", "Seen", "crossfitted", "fit", "scores"]
