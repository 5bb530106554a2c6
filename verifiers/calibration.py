"""What support is worth: fitted to labelled answers, kept as a JSON that a person can read.

Isotonic on the whole; with enough labels, per group first (groups.py): one half of the labels
finds the groups and their curves, the other says what the result is worth, so that a promise
rests on labels that shaped nothing. Not here: labelling (pipeline/labelling.py), storing it
(store/calibrations.py), using it (trust.py).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache

import numpy as np

from pilotfish.errors import InputError
from verifiers.groups import SMALLEST, Features, Group, grown, ranked
from verifiers.isotonic import Curve, Floats, brier, calibration_error, isotonic, rounded
from verifiers.promise import Promise, Rung, ladder, promise

GROUPED = 400  # labels from which half of them may look for groups
FEWEST = 20  # labels below which nothing is fitted


@dataclass(frozen=True, slots=True)
class Label:
    """One answered question: the judge's own support, whether it was right, and what it was."""

    support: float
    right: bool
    features: Features = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calibration:
    """`groups` give a rank, `curve` makes P(right) of it, `rungs` say what may be promised.

    `models`: those whose answers were labelled; empty: nobody said. `asked`: labelled questions,
    those abstained from too.
    """

    curve: Curve
    rungs: tuple[Rung, ...]
    groups: tuple[Group, ...] = ()
    models: tuple[str, ...] = ()
    labels: int = 0
    asked: int = 0
    measures: Mapping[str, float] = field(default_factory=dict)

    def rank(self, support: float, features: Features) -> float:
        """What thresholds are compared with."""
        return ranked(self.groups, support, features)

    def support(self, rank: float) -> float:
        """P(right) of an answer of this rank."""
        return float(self.curve([rank])[0])

    def covers(self, model: str) -> bool:
        return not self.models or model in self.models

    def promise(self, max_error: float) -> Promise:
        return promise(self.rungs, max_error, self.asked)


def fit(labels: Sequence[Label], asked: int | None = None, *, grouped: bool = True) -> Calibration:
    """A calibration of these labels; InputError when they are too few to mean anything.

    Labels are halved by a hash of what they say, not by their order.
    """
    if len(labels) < FEWEST:
        raise InputError(f"{len(labels)} labelled answers: give at least {FEWEST}")
    rows = sorted(labels, key=_hash)
    split = len(rows) // 2 if grouped and len(rows) >= GROUPED and _differ(rows) else 0
    groups = grown(*_columns(rows[:split])) if split else ()
    kept = rows[split:]
    rank = np.array([ranked(groups, one.support, one.features) for one in kept])
    right = np.array([one.right for one in kept], dtype=float)
    curve = rounded(isotonic(rank, right))
    share = len(kept) / len(rows)
    return Calibration(
        curve, ladder(rank, 1 - right), groups,
        tuple(sorted({one.features["model"] for one in rows if "model" in one.features})),
        len(rows), round((len(rows) if asked is None else asked) * share),
        {"right": round(float(np.mean([one.right for one in rows])), 4),
         **_measures(kept, rank, right, curve)},
    )  # fmt: skip


def _differ(rows: Sequence[Label]) -> bool:
    """Whether there is anything to group by, whatever was right."""
    counts = Counter(pair for one in rows for pair in one.features.items())
    return any(2 * SMALLEST <= count <= len(rows) - 2 * SMALLEST for count in counts.values())


def _columns(rows: Sequence[Label]) -> tuple[Floats, Floats, list[Features]]:
    support = np.array([one.support for one in rows], dtype=float)
    right = np.array([one.right for one in rows], dtype=float)
    return support, right, [one.features for one in rows]


def _hash(one: Label) -> str:
    said = json.dumps([one.support, one.right, dict(one.features)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _measures(rows: Sequence[Label], rank: Floats, right: Floats, curve: Curve) -> dict[str, float]:
    """Before and after; after is in-sample, and so a little kind to itself."""
    raw = [one.support for one in rows]
    found = {
        "brier before": brier(raw, right),
        "brier after": brier(curve(rank), right),
        "error before": calibration_error(raw, right),
        "error after": calibration_error(curve(rank), right),
    }
    return {name: round(value, 4) for name, value in found.items()}


def to_json(calibration: Calibration) -> str:
    """Readable: conditions in words, one threshold a row."""
    groups = [
        {"when": {g.feature: g.value} if g.feature else {}, "labels": g.labels,
         "curve": _points(g.curve)} for g in calibration.groups
    ]  # fmt: skip
    return json.dumps({
        "labels": calibration.labels, "asked": calibration.asked,
        "models": list(calibration.models), "measures": dict(calibration.measures),
        "curve": _points(calibration.curve), "groups": groups,
        "thresholds": [asdict(rung) for rung in calibration.rungs],
    })  # fmt: skip


def _points(curve: Curve) -> list[list[float]]:
    return [[x, y] for x, y in zip(curve.x, curve.y, strict=True)]


@lru_cache(maxsize=64)
def from_json(text: str) -> Calibration:
    """What `to_json` wrote; InputError for anything else."""
    try:
        found = json.loads(text)
        groups = tuple(
            Group(feature, value, _curve(g["curve"]), int(g["labels"]))
            for g in found["groups"]
            for feature, value in [next(iter(g["when"].items()), ("", ""))]
        )
        rungs = tuple(Rung(**rung) for rung in found["thresholds"])
        return Calibration(
            _curve(found["curve"]), rungs, groups, tuple(found["models"]), int(found["labels"]),
            int(found["asked"]), found["measures"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"no calibration ({error}): run pilotfish tune trust again") from None


def _curve(points: Sequence[Sequence[float]]) -> Curve:
    return Curve(tuple(float(p[0]) for p in points), tuple(float(p[1]) for p in points))
