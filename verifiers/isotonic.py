"""Isotonic regression by pooling adjacent violators, as a curve that keeps the order.

Pools after Ayer et al. (1955); each pool becomes one point at its mean and points are joined by
straight lines (centred isotonic regression, Oron and Flournoy 2017), so that values which differ
stay different. Not here: what the curve is fitted to (calibration.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x rising, y not falling) joined by lines, level outside them."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __call__(self, values: npt.ArrayLike) -> Floats:
        """y for each value."""
        return np.asarray(np.interp(np.asarray(values, dtype=float), self.x, self.y))


IDENTITY = Curve((0.0, 1.0), (0.0, 1.0))


def isotonic(x: npt.ArrayLike, y: npt.ArrayLike) -> Curve:
    """The non-falling curve with the least squared error; `x`, `y` of the same length >= 1."""
    values, inverse = np.unique(np.asarray(x, dtype=float), return_inverse=True)
    weights = np.bincount(inverse).astype(float)
    means = np.bincount(inverse, np.asarray(y, dtype=float)) / weights
    pools: list[tuple[float, float, float]] = []  # (weight, mean of x, mean of y)
    for pool in zip(weights.tolist(), values.tolist(), means.tolist(), strict=True):
        pools.append(pool)
        while len(pools) > 1 and pools[-2][2] >= pools[-1][2]:
            last = pools.pop()
            pools[-1] = _pooled(pools[-1], last)
    return Curve(tuple(p[1] for p in pools), tuple(p[2] for p in pools))


def _pooled(
    one: tuple[float, float, float], other: tuple[float, float, float]
) -> tuple[float, float, float]:
    weight = one[0] + other[0]
    x, y = ((one[i] * one[0] + other[i] * other[0]) / weight for i in (1, 2))
    return weight, x, y


def mixed(one: Curve, other: Curve, share: float) -> Curve:
    """`share` of `one` and the rest of `other`, point by point."""
    x = sorted({*one.x, *other.x})
    y = share * one(x) + (1.0 - share) * other(x)
    return Curve(tuple(x), tuple(y.tolist()))


def rounded(curve: Curve) -> Curve:
    """As it is written down, so that what is read back says the same."""
    return Curve(tuple(round(x, 5) for x in curve.x), tuple(round(y, 5) for y in curve.y))


def brier(support: Sequence[float] | Floats, right: npt.ArrayLike) -> float:
    """Mean squared distance of support from what came true (Brier 1950)."""
    return float(np.mean((np.asarray(support) - np.asarray(right, dtype=float)) ** 2))


def calibration_error(
    support: Sequence[float] | Floats, right: npt.ArrayLike, bins: int = 10
) -> float:
    """Expected calibration error over equally wide bins (Naeini et al. 2015)."""
    values, truth = np.asarray(support, dtype=float), np.asarray(right, dtype=float)
    of = np.minimum((values * bins).astype(int), bins - 1)
    gaps = [abs(float((values - truth)[of == b].sum())) for b in range(bins)]
    return sum(gaps) / len(values)
