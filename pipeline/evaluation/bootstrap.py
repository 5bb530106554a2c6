"""95 % intervals of shares and ratios, and of their differences between two runs.

Questions are drawn with replacement, the same draw for both runs (paired bootstrap: Efron and
Tibshirani 1993; for answers of two systems, Berg-Kirkpatrick et al. 2012). A figure is a sum over
a sum, so that means, shares of a part and prices a piece are all drawn alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.curves import Floats, Ranked

ROUNDS, SEED = 10_000, 20_240_906
_BLOCK = 4_000_000  # drawn numbers held at a time


@dataclass(frozen=True, slots=True)
class Ratios:
    """Of each question (rows) and figure (columns): what is added up above and below the line."""

    above: Floats
    below: Floats

    def values(self) -> Floats:
        """One value a figure; NaN where nothing stands below the line."""
        return divided(self.above.sum(axis=0), self.below.sum(axis=0))


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its 95 % percentile interval; each None where it cannot be told."""

    value: float | None
    low: float | None
    high: float | None


def divided(above: Floats, below: Floats) -> Floats:
    """above / below, NaN where below is 0."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def resampled(ratios: Ratios, rounds: int = ROUNDS, seed: int = SEED) -> Floats:
    """Each figure in each of `rounds` redraws of the questions: (rounds, figures)."""
    count = len(ratios.above)
    found = []
    for drawn in draws(count, rounds, seed):
        size = len(drawn)
        places = drawn + np.arange(size)[:, None] * count
        times = np.bincount(places.ravel(), minlength=size * count).reshape(size, count)
        weights = times.astype(np.float64)
        found.append(divided(weights @ ratios.above, weights @ ratios.below))
    return np.concatenate(found)


def draws(count: int, rounds: int = ROUNDS, seed: int = SEED) -> Iterator[NDArray[np.int64]]:
    """Redraws of `count` questions, a block of rows at a time; the same for the same arguments."""
    random = np.random.default_rng(seed)
    block = max(1, _BLOCK // max(1, count))
    for start in range(0, rounds, block):
        yield random.integers(0, count, (min(block, rounds - start), count))


def intervals(ratios: Ratios, rounds: int = ROUNDS) -> list[Interval]:
    """Value and interval of every figure."""
    return _told(ratios.values(), resampled(ratios, rounds))


def differences(one: Ratios, other: Ratios, rounds: int = ROUNDS) -> list[Interval]:
    """one - other of every figure, both redrawn with the same questions."""
    both = Ratios(np.hstack([one.above, other.above]), np.hstack([one.below, other.below]))
    mine, theirs = np.hsplit(resampled(both, rounds), 2)
    return _told(one.values() - other.values(), mine - theirs)


def area_interval(one: Ranked, other: Ranked | None = None, rounds: int = ROUNDS) -> Interval:
    """The area under risk over coverage, or by how much it is above another run's."""
    value, drawn = one.area, redrawn_areas(one, rounds)
    if other is not None:
        value, drawn = value - other.area, drawn - redrawn_areas(other, rounds)
    return _told(np.array([value]), drawn[:, None])[0]


def redrawn_areas(one: Ranked, rounds: int = ROUNDS, seed: int = SEED) -> Floats:
    """The area in each redraw, equal confidences again taken together."""
    levels = len(one.sure)
    found = []
    for drawn in draws(len(one.group), rounds, seed):
        rows = np.arange(len(drawn))[:, None]
        groups = one.group[drawn]
        places = (groups + rows * levels).ravel()
        sizes = np.bincount(places, minlength=len(drawn) * levels).astype(np.float64)
        totals = np.bincount(places, one.wrong[drawn].ravel(), len(drawn) * levels)
        shares = divided(np.asarray(totals, np.float64), sizes).reshape(len(drawn), levels)
        total = np.cumsum(shares[rows, np.sort(groups, axis=1)], axis=1)
        found.append((total / np.arange(1, total.shape[1] + 1)).mean(axis=1))
    return np.concatenate(found)


def _told(values: Floats, drawn: Floats) -> list[Interval]:
    """A figure that was undefined in more than one redraw of twenty gets no interval."""
    told = []
    for value, column in zip(values.tolist(), drawn.T, strict=True):
        known = column[~np.isnan(column)]
        if np.isnan(value) or len(known) < 0.95 * len(column):
            told.append(Interval(None if np.isnan(value) else value, None, None))
            continue
        low, high = np.percentile(known, [2.5, 97.5]).tolist()
        told.append(Interval(value, low, high))
    return told
