"""Measures of routers: APGR, what an oracle reaches, and their bootstrap. Not here: any router.

APGR as RouteLLM's code has it (arXiv 2406.18665): the area between the weak system's accuracy and
the router's, over the share of prompts that go to the strong one, divided by that of the strong
system. Random is 0.5; above 1 where a router knows what only the weak one gets right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def apgr(score: Array, weak: Array, strong: Array) -> float:
    """score: the higher, the sooner to the strong system; equal ones go together, in no order."""
    order = np.argsort(-score, kind="stable")
    gained = np.cumsum((strong - weak)[order])
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    shares = np.r_[0, (ends + 1) / len(score)]
    reached = np.r_[0, gained[ends]] / gained[-1]
    return float(((reached[1:] + reached[:-1]) / 2 * np.diff(shares)).sum())


def oracle(weak: Array, strong: Array) -> float:
    """APGR of a router that knows both outcomes: what no router can beat."""
    return apgr(strong - weak, weak, strong)


def interval(
    score: Array, weak: Array, strong: Array, groups: Sequence[str] | None = None,
    rounds: int = 1000, seed: int = 0,
) -> tuple[float, float]:  # fmt: skip
    """95 % of APGR when rows, or whole groups, are drawn with replacement."""
    random = np.random.default_rng(seed)
    found = []
    names = np.array(groups) if groups is not None else np.arange(len(score))
    members = [np.flatnonzero(names == name) for name in np.unique(names)] if groups else []
    for _ in range(rounds):
        if groups:
            drawn = random.integers(0, len(members), len(members))
            rows = np.concatenate([members[one] for one in drawn])
        else:
            rows = random.integers(0, len(score), len(score))
        found.append(apgr(score[rows], weak[rows], strong[rows]))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
