"""The chance that a ranked answer is right: a logistic over what its ranking looks like.

Fitted on questions that the ranker was not fitted on, so that 0.8 means 8 of 10. Newton's method
with an L2 penalty, numpy alone. Not here: the ranking (rank.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
STEPS = 12
PENALTY = 2.0


@dataclass(frozen=True, slots=True)
class Trust:
    """weights: of each number in spreads from its mean, the bias last."""

    mean: Vector
    spread: Vector
    weights: Vector

    @classmethod
    def fitted(cls, rows: Sequence[Sequence[float]], right: Sequence[bool]) -> Trust:
        """Of rows of equal length, at least one, and whether each was right."""
        raw = np.array(rows, np.float64)
        spread = raw.std(axis=0)
        made = cls(raw.mean(axis=0), np.where(spread > 1e-9, spread, 1.0), np.zeros(0))
        return cls(made.mean, made.spread, _newton(made._scaled(raw), np.array(right, np.float64)))

    @property
    def flat(self) -> Vector:
        """All of it as one row, for a file."""
        return np.concatenate([self.mean, self.spread, self.weights])

    @classmethod
    def read(cls, flat: Vector) -> Trust:
        """From `flat`; ValueError when it is none."""
        size, odd = divmod(len(flat) - 1, 3)
        if odd or not np.isfinite(flat).all():
            raise ValueError(f"a trust of {len(flat)} numbers is broken")
        return cls(flat[:size], flat[size : 2 * size], flat[2 * size :])

    def __call__(self, row: Sequence[float]) -> float:
        """P(right) of one row, within 0 and 1."""
        scaled = self._scaled(np.array([row], np.float64))[0]
        odds = float(scaled @ self.weights)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))

    def _scaled(self, raw: Vector) -> Vector:
        scaled = np.clip((raw - self.mean) / self.spread, -4, 4)
        return np.asarray(np.c_[scaled, np.ones(len(scaled))])


def _newton(design: Vector, right: Vector) -> Vector:
    weights = np.zeros(design.shape[1])
    penalty = np.full(design.shape[1], PENALTY)
    penalty[-1] = 1e-6
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (p - right) + penalty * weights
        bend = (design * np.maximum(p * (1 - p), 1e-4)[:, None]).T @ design + np.diag(penalty)
        weights = weights - np.linalg.solve(bend, slope)
    return np.asarray(weights)


def logit(chance: float) -> float:
    """Log-odds, held within 9 of even."""
    chance = min(max(chance, 1e-4), 1 - 1e-4)
    return math.log(chance / (1 - chance))
