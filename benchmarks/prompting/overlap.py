"""How near sub-questions are to gold ones: token F1, and the best one-to-one alignment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from prompters.decomposition.words import bare


def f1(one: str, other: str) -> float:
    """Token F1 of two texts, lower case, without marks."""
    a, b = Counter(bare(one)), Counter(bare(other))
    shared = sum((a & b).values())
    if not shared:
        return 0.0
    return 2 * shared / (sum(a.values()) + sum(b.values()))


def aligned(found: Sequence[str], gold: Sequence[str]) -> float:
    """Mean F1 under the best one-to-one alignment; what is left over on either side counts 0."""
    from scipy.optimize import linear_sum_assignment

    if not found or not gold:
        return 0.0
    table = np.array([[f1(one, other) for other in gold] for one in found])
    rows, columns = linear_sum_assignment(-table)
    return float(table[rows, columns].sum()) / max(len(found), len(gold))
