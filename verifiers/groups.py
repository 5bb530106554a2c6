"""Groups of answers that the judge trusts too much or too little, each with a curve of its own.

After Reconfidencing (arXiv 2402.04957): calibration on the whole hides groups that are off in
either direction, so groups are looked for where the whole's curve errs, and calibrated each by
itself. Here a list of readable conditions (kind of question, model, kind of passage) is grown
greedily; a small group is drawn towards the whole. Not here: what the groups are used for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from verifiers.isotonic import Curve, Floats, isotonic, mixed, rounded

SMALLEST = 40  # labels of a group
MOST = 5
FIRM = 50.0  # labels at which a group's own curve weighs as much as the whole's
_OWN = 0.02  # how much of the judge's own order stays, to tell apart what the curve makes equal
Features = Mapping[str, str]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Group:
    """Answers whose feature has this value (both empty: all others), and their curve."""

    feature: str
    value: str
    curve: Curve
    labels: int

    def holds(self, features: Features) -> bool:
        return not self.feature or features.get(self.feature) == self.value


def ranked(groups: Sequence[Group], support: float, features: Features) -> float:
    """What the first group that holds makes of the support; as it is when there is none."""
    group = next((one for one in groups if one.holds(features)), None)
    if group is None:
        return support
    return float((1 - _OWN) * group.curve([support])[0] + _OWN * support)


def grown(support: Floats, right: Floats, features: Sequence[Features]) -> tuple[Group, ...]:
    """Groups in the order in which they are asked; the last holds for all that are left."""
    whole = isotonic(support, right)
    off, left = right - whole(support), np.ones(len(support), dtype=bool)
    found: list[Group] = []
    while len(found) < MOST and (best := _furthest(off, left, features)):
        feature, value, inside = best
        found.append(_group(feature, value, (support[inside], right[inside]), whole))
        left &= ~inside
    return (*found, _group("", "", (support[left], right[left]), whole))


def _group(feature: str, value: str, rows: tuple[Floats, Floats], whole: Curve) -> Group:
    count = len(rows[0])
    share = count / (count + FIRM)
    curve = mixed(isotonic(*rows), whole, share) if count else whole
    return Group(feature, value, rounded(curve), count)


def _furthest(
    off: Floats, left: Mask, features: Sequence[Features]
) -> tuple[str, str, Mask] | None:
    """The group that lies furthest from the rest of what is left; None when none does clearly."""
    spread = float(np.var(off[left])) or 1.0
    best, furthest = None, 4.0 + 2.0 * math.log(max(1, int(left.sum())) / SMALLEST)
    for feature, value in _values(features):
        inside = left & np.array([one.get(feature) == value for one in features])
        count, rest = int(inside.sum()), int((left & ~inside).sum())
        if min(count, rest) < SMALLEST:
            continue
        apart = float(off[inside].mean() - off[left & ~inside].mean())
        squared = apart**2 / (spread * (1 / count + 1 / rest))
        if squared > furthest:
            best, furthest = (feature, value, inside), squared
    return best


def _values(features: Sequence[Features]) -> Iterator[tuple[str, str]]:
    yield from sorted({pair for one in features for pair in one.items()})
