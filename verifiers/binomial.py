"""The exact binomial tail, and the bound of Clopper and Pearson (1934) that it gives.

Own few lines, so that the engine needs no scipy; tests compare with scipy.stats.
"""

from __future__ import annotations

import math
from statistics import NormalDist

SURE = 0.95


def at_most(wrong: int, answered: int, rate: float) -> float:
    """P(no more than `wrong` of `answered` are wrong) when each is with probability `rate`."""
    if wrong >= answered or rate <= 0.0:
        return 1.0
    if rate >= 1.0:
        return 0.0
    odds, whole = math.log(rate), math.lgamma(answered + 1)
    kept = math.log1p(-rate)
    terms = (
        whole
        - math.lgamma(k + 1)
        - math.lgamma(answered - k + 1)
        + k * odds
        + (answered - k) * kept
        for k in range(wrong + 1)
    )
    return min(1.0, math.fsum(map(math.exp, terms)))


def upper_bound(wrong: int, answered: int, sure: float = SURE) -> float:
    """The largest rate that `wrong` of `answered` does not refute at that confidence."""
    if wrong >= answered:
        return 1.0
    low, high = wrong / answered, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(wrong, answered, middle) > 1 - sure else (low, middle)
    return high


def fewest(max_error: float, level: float) -> int:
    """Answers, all of them right, that it takes to refute a rate above `max_error`."""
    return math.ceil(math.log(level) / math.log1p(-max_error))


def needed(max_error: float, rate: float, level: float) -> int | None:
    """About how many answers it takes at this observed rate of wrong ones; None: none suffice.

    By the normal approximation: what it tells is a guess about labels that do not exist yet.
    """
    if rate >= max_error:
        return None
    z = NormalDist().inv_cdf(1.0 - level)
    wide = z * math.sqrt(max_error * (1.0 - max_error)) / (max_error - rate)
    return max(fewest(max_error, level), math.ceil(wide**2))
