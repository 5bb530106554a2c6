"""Risk and coverage, calibration, and how well a score tells right from wrong.

Risk-coverage and its area after El-Yaniv and Wiener (JMLR 2010) and Geifman and El-Yaniv (arXiv
1705.08500). Equal confidences are taken together, as the mean over all their orders. Not here:
expected calibration error and Brier score (verifiers/isotonic.py), pictures (plots.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.auroc import auroc as by_ranks
from verifiers.isotonic import brier, calibration_error

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
    """Questions in groups of equal confidence, 0 the surest: each one's `group` and whether it is
    `wrong`; of each group its confidence, `sure`, below 0 for those without one.
    """

    group: NDArray[np.intp]
    wrong: Floats
    sure: Floats

    @property
    def sizes(self) -> NDArray[np.intp]:
        return np.bincount(self.group, minlength=len(self.sure))

    @property
    def totals(self) -> Floats:
        """Wrong ones of each group."""
        return np.asarray(np.bincount(self.group, self.wrong, len(self.sure)), np.float64)

    @property
    def area(self) -> float:
        """The mean over all orders of equal confidences."""
        return area(np.repeat(self.totals / self.sizes, self.sizes))


def ranked(right: Sequence[bool], confidence: Sequence[float | None]) -> Ranked:
    """All questions. One without a confidence is answered last, and counts as wrong."""
    sure = np.array([-1.0 if c is None else c for c in confidence], np.float64)
    wrong = [not r or c is None for r, c in zip(right, confidence, strict=True)]
    levels, group = np.unique(-sure, return_inverse=True)
    return Ranked(group.ravel(), np.array(wrong, np.float64), -levels)


def risk_coverage(right: Sequence[bool], confidence: Sequence[float | None]) -> RiskCoverage:
    """The curve of all questions, as `ranked` orders them."""
    order = ranked(right, confidence)
    done, total, kept = np.cumsum(order.sizes), np.cumsum(order.totals), order.sure >= 0
    return RiskCoverage(
        tuple((done / len(order.wrong))[kept].tolist()),
        tuple((total / done)[kept].tolist()),
        tuple(order.sure[kept].tolist()),
        order.area,
        area(np.sort(order.wrong)),
        float(order.wrong.mean()),
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
    order = np.argsort(said, kind="stable")
    masses = [(said[part], was[part]) for part in np.array_split(order, min(bins, len(said)))]
    return Calibration(
        tuple(one for one in made if one is not None),
        calibration_error(said, was, bins),
        sum(len(s) * abs(float(s.mean() - w.mean())) for s, w in masses) / len(said),
        brier(said, was),
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
    return by_ranks(right, score) if any(right) and not all(right) else None
