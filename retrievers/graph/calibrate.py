"""What the chance of a path is worth: the share of labelled questions that were answered right.

A monotone step curve (pool adjacent violators) over chances of questions that the scorer was not
fitted on, drawn a little to the middle, since few labels never show certainty. Not here: fitting
scorers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Curve:
    """Chances `at`, ascending, and what they are `worth`; between them it is drawn straight."""

    at: tuple[float, ...]
    worth: tuple[float, ...]

    def __call__(self, chance: float) -> float:
        return float(np.interp(chance, self.at, self.worth))


def curve(chances: Sequence[float], right: Sequence[bool]) -> Curve | None:
    """The curve of these figures; None for none."""
    if not chances:
        return None
    order = np.argsort(chances, kind="stable")
    pools: list[list[float]] = []  # right + 0.5, count + 1, sum of chances
    for at in order:
        pools.append([float(right[at]), 1.0, float(chances[at])])
        while len(pools) > 1 and _share(pools[-2]) >= _share(pools[-1]):
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return Curve(
        tuple(round(total / count, 6) for _, count, total in pools),
        tuple(round((hits + 0.5) / (count + 1.0), 4) for hits, count, _ in pools),
    )


def _share(pool: Sequence[float]) -> float:
    return pool[0] / pool[1]
