"""How well a score tells right from wrong, by ranks. Not here: curves, intervals, reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def auroc(right: Sequence[bool] | NDArray[Any], score: Sequence[float] | NDArray[Any]) -> float:
    """Share of (right, wrong) pairs in which the right one scores higher; ties count half.

    The area under the ROC curve (Hanley and McNeil 1982). ValueError where all are of one kind.
    """
    was, values = np.asarray(right, np.bool_), np.asarray(score, np.float64)
    good, bad = values[was], np.sort(values[~was])
    if not len(good) or not len(bad):
        raise ValueError(f"auroc needs right and wrong ones: {len(good)} and {len(bad)} are given")
    below, upto = np.searchsorted(bad, good, "left"), np.searchsorted(bad, good, "right")
    return float((below + upto).sum() / (2 * len(good) * len(bad)))
