"""A logistic on named numbers and a frozen embedding, fitted by Newton's method; numpy alone.

P(right) = 1 / (1 + exp(-(bias + sum of weight x (value - mean) / spread + direction . embedding))).
The named weights can be read, the direction cannot and is kept as float16. Not here: which
numbers (traits.py), what the probabilities are used for.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
TRUST = 0.3  # how loud one spread of a named number is beside a unit embedding
STEPS = 8
DIRECTIONS = 128  # principal directions of the embeddings in which weights are sought
WORDING = "wording"  # how the embedding's part is called for people


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and spread of each named number over the rows that were fitted."""

    names: tuple[str, ...]
    mean: Matrix
    spread: Matrix

    @classmethod
    def of(cls, table: Sequence[Mapping[str, float]]) -> Scale:
        """Of these rows; a number that never changes has spread 1."""
        names = tuple(table[0])
        raw = np.array([[row[name] for name in names] for row in table], np.float64)
        spread = raw.std(axis=0)
        return cls(names, raw.mean(axis=0), np.where(spread > 1e-9, spread, 1.0))

    def __call__(self, table: Sequence[Mapping[str, float]]) -> Matrix:
        """Rows in spreads from the mean, held within 5 of them: (rows, names)."""
        raw = np.array([[row[name] for name in self.names] for row in table], np.float64)
        return np.clip((raw.reshape(-1, len(self.names)) - self.mean) / self.spread, -5, 5)


def fit(design: Matrix, right: Matrix, strength: float, steps: int = STEPS) -> Matrix:
    """Weights, the bias last: L2-penalised by `strength`, the bias free. right: 0 to 1."""
    ones = np.c_[design, np.ones(len(design))]
    share = float(np.clip(right.mean(), 0.01, 0.99))
    weights = np.zeros(ones.shape[1])
    weights[-1] = math.log(share / (1 - share))
    penalty = np.full(ones.shape[1], strength)
    penalty[-1] = 1e-6
    for _ in range(steps):
        p = probability(ones @ weights)
        slope = ones.T @ (p - right) + penalty * weights
        bend = (ones * np.maximum(p * (1 - p), 1e-4)[:, None]).T @ ones + np.diag(penalty)
        change = np.linalg.solve(bend, slope)
        weights -= change
        if np.abs(change).max() < 1e-5:
            break
    return weights


def probability(odds: Matrix) -> Matrix:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


@dataclass(frozen=True, slots=True)
class Logistic:
    """A fitted judge. `direction` has one number a dimension of the embedding, or none."""

    bias: float
    scale: Scale
    weights: Matrix
    direction: Matrix

    def odds(self, table: Sequence[Mapping[str, float]], vectors: Matrix) -> Matrix:
        """Log odds of each row."""
        plain = self.scale(table) @ self.weights
        return plain + self.bias + (vectors @ self.direction if self.direction.size else 0.0)

    def parts(self, traits: Mapping[str, float], vector: Matrix) -> dict[str, float]:
        """What each named number, and the wording, adds to the log odds of one row."""
        plain = self.scale([traits])[0] * self.weights
        found = dict(zip(self.scale.names, map(float, plain), strict=True))
        if self.direction.size:
            found[WORDING] = float(vector @ self.direction)
        return found

    def shown(self) -> dict[str, Any]:
        """As JSON: what a person can read first, the direction as base64 of float16."""
        rows = zip(self.scale.names, self.weights, self.scale.mean, self.scale.spread, strict=True)
        named = {n: {"weight": _short(w), "mean": _short(m), "spread": _short(s)}
                 for n, w, m, s in rows}  # fmt: skip
        raw = base64.b64encode(self.direction.astype("<f2").tobytes()).decode()
        return {"bias": _short(self.bias), "features": named, "wording_base64": raw}

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Logistic:
        """From JSON; ValueError when it is none of ours."""
        try:
            named = fields["features"]
            columns = [np.array([float(one[key]) for one in named.values()])
                       for key in ("weight", "mean", "spread")]  # fmt: skip
            raw = base64.b64decode(fields["wording_base64"], validate=True)
            direction = np.frombuffer(raw, "<f2").astype(np.float64)
            scale = Scale(tuple(named), columns[1], columns[2])
            made = cls(float(fields["bias"]), scale, columns[0], direction)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            told = f"{type(error).__name__}: {error}"
            raise ValueError(f"a judge is broken ({told})") from None
        if not all(np.isfinite(part).all() for part in (*columns, direction)) or not math.isfinite(
            made.bias
        ):
            raise ValueError("a judge holds a number that is not finite")
        return made


def fitted(
    table: Sequence[Mapping[str, float]], vectors: Matrix, right: Matrix, strength: float
) -> Logistic:
    """A logistic of named numbers and embeddings (rows, dimension); dimension 0: without.

    The embedding's weights lie in its principal directions: as good, and much faster.
    """
    scale = Scale.of(table)
    basis = _principal(vectors)
    weights = fit(np.c_[scale(table) * TRUST, vectors @ basis], right, strength)
    named = len(scale.names)
    return Logistic(float(weights[-1]), scale, weights[:named] * TRUST, basis @ weights[named:-1])


def _principal(vectors: Matrix) -> Matrix:
    """The directions of most variance: (dimension, at most DIRECTIONS)."""
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    return np.asarray(directions[:, -min(DIRECTIONS, max(1, len(vectors) // 40)) :])


def _short(value: float) -> float:
    return float(f"{value:.5g}")
