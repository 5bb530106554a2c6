"""Recorded rows as columns: systems from cheap to strong, who was right, what was paid.

Where a row lacks a system's outcome it is filled for the search of thresholds alone: `right` with
what the judges expect, `cost` with the system's mean. Judges learn from known outcomes only.
Not here: reading files (recorded.py), judges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotfish.errors import InputError
from pipeline.logistic import Matrix
from pipeline.recorded import Row

FEWEST_ROWS = 40  # below, nothing can be learned and checked
FEWEST_KNOWN = 20  # outcomes that a system needs
TEXTS = 0.5  # share of a system's answers with a text, above which they can be read
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Outcomes:
    """n rows and K systems in the order of mean cost; NaN and None where nothing is known."""

    systems: tuple[str, ...]
    prompts: tuple[str, ...]
    texts: tuple[tuple[str | None, ...], ...]
    right: Matrix
    cost: Matrix
    folds: NDArray[np.intp]
    grouped: bool

    @property
    def mean_cost(self) -> Matrix:
        return np.asarray(np.nanmean(self.cost, axis=0))

    @property
    def accuracy(self) -> Matrix:
        return np.asarray(np.nanmean(self.right, axis=0))

    @property
    def readable(self) -> tuple[bool, ...]:
        """Whether a system's answers come with texts."""
        shares = [sum(row[k] is not None for row in self.texts) / len(self.texts)
                  for k in range(len(self.systems))]  # fmt: skip
        return tuple(share >= TEXTS for share in shares)

    @property
    def paid(self) -> Matrix:
        """cost, with a system's mean where it is not known."""
        return np.where(np.isnan(self.cost), self.mean_cost, self.cost)


def outcomes(rows: Sequence[Row], name: str) -> Outcomes:
    """The columns of these rows; InputError where nothing could be learned from them."""
    used = [row for row in rows if any(t.correct is not None for t in row.tried.values())]
    if len(used) < FEWEST_ROWS:
        raise InputError(
            f"{name}: {len(used)} of {len(rows)} rows hold an answer with 'correct': record "
            f"{FEWEST_ROWS} or more"
        )
    systems = _systems(used, name)
    right = _column(used, systems, "correct")
    cost = _column(used, systems, "cost")
    order = np.argsort(np.nanmean(cost, axis=0), kind="stable")
    names = tuple(systems[k] for k in order)
    groups = [row.group for row in used]
    grouped = len({g for g in groups if g is not None}) >= FOLDS and None not in groups
    keys = [str(row.group) if grouped else row.prompt for row in used]
    return Outcomes(
        names, tuple(row.prompt for row in used),
        tuple(tuple(row.text(system) for system in names) for row in used),
        right[:, order], cost[:, order], _folds(keys), grouped,
    )  # fmt: skip


def _systems(rows: Sequence[Row], name: str) -> list[str]:
    """Those with enough known outcomes and a known cost."""
    known: dict[str, int] = {}
    priced: set[str] = set()
    for row in rows:
        for system, tried in row.tried.items():
            known[system] = known.get(system, 0) + (tried.correct is not None)
            priced |= {system} if tried.cost is not None else set()
    free = sorted(system for system in known if system not in priced)
    if free:
        raise InputError(f"{name}: no answer of {free[0]!r} has a cost: give 'cost' of its answers")
    kept = [system for system, count in known.items() if count >= FEWEST_KNOWN]
    if not kept:
        raise InputError(
            f"{name}: no system has {FEWEST_KNOWN} answers with 'correct': record more rows"
        )
    return kept


def _column(rows: Sequence[Row], systems: Sequence[str], name: str) -> Matrix:
    values = [
        [getattr(row.tried[s], name) if s in row.tried else None for s in systems] for row in rows
    ]
    return np.array(values, np.float64)  # None becomes NaN


def _folds(keys: Sequence[str]) -> NDArray[np.intp]:
    """Equal keys in one fold, folds of about equal size; the same on every machine."""
    sizes = [0] * FOLDS
    place: dict[str, int] = {}
    count: dict[str, int] = {}
    for key in keys:
        count[key] = count.get(key, 0) + 1
    mixed = sorted(count, key=lambda k: hashlib.sha256(k.encode("utf-8", "replace")).digest())
    for key in sorted(mixed, key=lambda k: -count[k]):  # the largest first, then by their hash
        place[key] = sizes.index(min(sizes))
        sizes[place[key]] += count[key]
    return np.array([place[key] for key in keys], np.intp)
