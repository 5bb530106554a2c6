"""Risk and coverage, calibration, and how well a score tells right from wrong.

Risk-coverage and its area after El-Yaniv and Wiener (JMLR 2010) and Geifman and El-Yaniv (arXiv
1705.08500); expected calibration error after Guo et al. (arXiv 1706.04599); Brier (1950). Equal
confidences are taken together, as the mean over all their orders. Not here: pictures (plots.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Z = 1.959964  # of 95 %


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Points from the surest answer down: share answered, share wrong among them, threshold.

    `area` is over all questions (0: every wrong one comes last), `best` and `chance` are those of
    a perfect and of a random order of the same answers.
    """

    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    threshold: tuple[float, ...]
    area: float
    best: float
    chance: float

    def coverage_at(self, risk: float) -> float:
        """The largest share answered at no more than that risk. Looked up, not promised."""
        fits = [c for c, r in zip(self.coverage, self.risk, strict=True) if r <= risk + 1e-12]
        return max(fits, default=0.0)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Questions from the surest answer down: each one's `rank`, and by rank how wrong it is, which
    equal confidences share; `ends` are the last ranks of equal ones, `sure` their confidence.
    """

    rank: NDArray[np.intp]
    wrong: Floats
    ends: NDArray[np.intp]
    sure: Floats

    @property
    def area(self) -> float:
        return area(self.wrong)


def ranked(right: Sequence[bool], confidence: Sequence[float | None]) -> Ranked:
    """All questions. One without a confidence is answered last, and counts as wrong."""
    sure = np.array([-1.0 if c is None else c for c in confidence], np.float64)
    wrong = np.array(
        [not r or c is None for r, c in zip(right, confidence, strict=True)], np.float64
    )
    order = np.argsort(-sure, kind="stable")
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    sure = sure[order]
    ends = np.flatnonzero(np.append(sure[1:] != sure[:-1], True))
    sizes = np.diff(np.append(-1, ends))
    totals = np.diff(np.append(0.0, np.cumsum(wrong[order])[ends]))
    return Ranked(rank, np.repeat(totals / sizes, sizes), ends, sure[ends])


def risk_coverage(right: Sequence[bool], confidence: Sequence[float | None]) -> RiskCoverage:
    """The curve of all questions, as `ranked` orders them."""
    order = ranked(right, confidence)
    total, kept = np.cumsum(order.wrong)[order.ends], order.sure >= 0
    wrong = [not r or c is None for r, c in zip(right, confidence, strict=True)]
    return RiskCoverage(
        tuple(((order.ends + 1) / len(wrong))[kept].tolist()),
        tuple((total / (order.ends + 1))[kept].tolist()),
        tuple(order.sure[kept].tolist()),
        order.area,
        area(np.sort(np.array(wrong, np.float64))),
        float(np.mean(wrong)),
    )


def area(wrong: Floats) -> float:
    """Mean risk over every prefix of answers that are taken in this order."""
    return float((np.cumsum(wrong) / np.arange(1, len(wrong) + 1)).mean())


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose support lies in [low, high): how many, mean support, share right, its 95 %."""

    low: float
    high: float
    count: int
    support: float
    right: float
    right_low: float
    right_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """`ece` over bins of equal width, `ece_equal_mass` over bins of equal count; `base` is the
    Brier score of always saying the share that is right.
    """

    bins: tuple[Bin, ...]
    ece: float
    ece_equal_mass: float
    brier: float
    base: float


def calibration(support: Sequence[float], right: Sequence[bool], bins: int = 10) -> Calibration:
    """Whether `support` is the probability of being right. Needs one answer at least."""
    said, was = np.asarray(support, np.float64), np.asarray(right, np.float64)
    places = np.minimum((said * bins).astype(int), bins - 1)
    made = [_bin(n / bins, (n + 1) / bins, said[places == n], was[places == n])
            for n in range(bins)]  # fmt: skip
    filled = tuple(one for one in made if one is not None)
    order = np.argsort(said, kind="stable")
    masses = [(said[part], was[part]) for part in np.array_split(order, min(bins, len(said)))]
    return Calibration(
        filled,
        sum(one.count * abs(one.support - one.right) for one in filled) / len(said),
        sum(len(s) * abs(float(s.mean() - w.mean())) for s, w in masses) / len(said),
        float(((said - was) ** 2).mean()),
        float(was.mean() * (1 - was.mean())),
    )


def _bin(low: float, high: float, said: Floats, was: Floats) -> Bin | None:
    if not len(said):
        return None
    right = float(was.mean())
    return Bin(low, high, len(said), float(said.mean()), right, *wilson(right, len(said)))


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    spread = Z * ((share * (1 - share) + Z * Z / (4 * count)) / count) ** 0.5
    middle, scale = share + Z * Z / (2 * count), 1 + Z * Z / count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def auroc(score: Sequence[float], right: Sequence[bool]) -> float | None:
    """How often a right answer scores above a wrong one, ties half; None with only one kind."""
    values, was = np.asarray(score, np.float64), np.asarray(right, np.bool_)
    good, bad = values[was], np.sort(values[~was])
    if not len(good) or not len(bad):
        return None
    below = np.searchsorted(bad, good, "left")
    upto = np.searchsorted(bad, good, "right")
    return float((below + upto).sum() / (2 * len(good) * len(bad)))
