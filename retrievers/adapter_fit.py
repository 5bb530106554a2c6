"""Fits a query adapter to pairs of question and passage, and keeps it only where a test says so.

Two closed forms: ridge towards the identity, argmin |W Q - P|^2 + strength |W - I|^2, and
orthogonal Procrustes (Schoenemann, 1966). Every pair is held back once: its adapter, with strength
and share chosen by folds among the other pairs, was fitted without it. A paired bootstrap of
nDCG@10 over all pairs decides. Not here: where pairs come from (adapter_pairs.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrievers.adapter import Adapter, Floats, normed

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]
STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0)
SHARES = (0.5, 1.0)  # of the adapted vector
FOLDS, INNER = 5, 4
FEWEST = 40  # pairs; below, nothing is fitted
FIRST = 10  # places that count
ROUNDS, LEVEL = 4000, 0.05
_BLOCK = 256  # questions scored at once
Choice = tuple[float | None, float]  # the ridge's strength (None: Procrustes), the share
CHOICES: tuple[Choice, ...] = tuple((s, share) for s in (None, *STRENGTHS) for share in SHARES)


@dataclass(frozen=True, slots=True)
class Pairs:
    """n questions and the passages of each that are right.

    asked: (n, dimension). right: rows of `passages` (m, dimension), one tuple a question. groups:
    (n,), equal for questions that must stay on one side of every fold.
    """

    asked: Floats
    right: tuple[tuple[int, ...], ...]
    passages: Floats
    groups: Ints

    def some(self, rows: Ints) -> Pairs:
        right = tuple(self.right[i] for i in rows)
        return Pairs(self.asked[rows], right, self.passages, self.groups[rows])

    def targets(self) -> Floats:
        """The mean vector of each question's right passages."""
        return normed(np.stack([self.passages[list(own)].mean(axis=0) for own in self.right]))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`adapter` is None where it was not kept; `why` says so in a line."""

    adapter: Adapter | None
    why: str
    measured: dict[str, Any] = field(default_factory=dict)


def ridge(asked: Floats, targets: Floats, strength: float) -> Floats:
    """(dimension, dimension), towards the identity."""
    q, p = asked.astype(np.float64), targets.astype(np.float64)
    gram = q.T @ q + strength * np.eye(q.shape[1])
    change = np.linalg.solve(gram, q.T @ (p - q)).T
    found: Floats = (np.eye(q.shape[1]) + change).astype(np.float32)
    return found


def procrustes(asked: Floats, targets: Floats) -> Floats:
    """The rotation (or reflection) that brings questions nearest to their passages."""
    u, _, v = np.linalg.svd(targets.astype(np.float64).T @ asked.astype(np.float64))
    found: Floats = (u @ v).astype(np.float32)
    return found


def fit(pairs: Pairs, encoder: str, seed: int = 0) -> Verdict:
    """An adapter to all pairs, if adapters to most of them were better on the rest."""
    count = len(pairs.right)
    if count < FEWEST:
        return Verdict(None, f"{count} pairs are too few: {FEWEST} are needed")
    before, after = grades(pairs, pairs.asked), np.zeros(count)
    for taught, checked in folds(pairs.groups, FOLDS, seed):
        choice = choose(pairs.some(taught), seed + 1)
        apart = pairs.some(checked)
        moved = _adapted(pairs.some(taught), choice, apart.asked)
        after[checked] = grades(apart, moved)
    choice = choose(pairs, seed + 1)
    low, high = interval(after - before, seed)
    measured: dict[str, Any] = {
        "pairs": count, "how": told(choice), "nDCG@10 before": round(float(before.mean()), 4),
        "after, held back": round(float(after.mean()), 4),
        "difference, 95 %": f"{low:+.4f} to {high:+.4f}",
    }  # fmt: skip
    what = f"nDCG@10 {before.mean():.3f} to {after.mean():.3f} on pairs held back"
    if choice is None or low <= 0:
        return Verdict(None, f"not surely better: {what}", measured)
    new = float(elsewhere(pairs, choice, seed).mean())
    measured["after, documents without pairs"] = round(new, 4)
    what += f", to {new:.3f} where no pair had the passage"
    return Verdict(adapter(pairs, choice, encoder), what, measured)


def elsewhere(pairs: Pairs, choice: Choice, seed: int) -> Doubles:
    """Grades with questions of one passage kept together: what questions of new documents may see.

    For people: whether the adapter has learned the field, or the passages of the pairs alone.
    """
    after = np.zeros(len(pairs.right))
    own = np.array([min(right) for right in pairs.right])
    for taught, checked in folds(own, FOLDS, seed):
        apart = pairs.some(checked)
        after[checked] = grades(apart, _adapted(pairs.some(taught), choice, apart.asked))
    return after


def folds(groups: Ints, count: int, seed: int) -> list[tuple[Ints, Ints]]:
    """(rows to fit to, rows held back) `count` times, by group; folds without rows are left out."""
    names, own = np.unique(groups, return_inverse=True)
    drawn = (np.random.default_rng(seed).permutation(len(names)) % count)[own]
    found = [(np.flatnonzero(drawn != k), np.flatnonzero(drawn == k)) for k in range(count)]
    return [(taught, checked) for taught, checked in found if len(taught) and len(checked)]


def choose(pairs: Pairs, seed: int) -> Choice | None:
    """The best over inner folds; None: none is above leaving the vectors as they are."""
    gained = np.zeros(len(CHOICES))
    for taught, checked in folds(pairs.groups, INNER, seed):
        apart, inner = pairs.some(checked), pairs.some(taught)
        before = grades(apart, apart.asked).sum()
        for at, choice in enumerate(CHOICES):
            moved = _adapted(inner, choice, apart.asked)
            gained[at] += grades(apart, moved).sum() - before
    best = int(gained.argmax())
    return CHOICES[best] if gained[best] > 0 else None


def adapter(pairs: Pairs, choice: Choice, encoder: str) -> Adapter:
    """Fitted to these pairs, in the way that was chosen."""
    strength, share = choice
    targets = pairs.targets()
    matrix = (
        procrustes(pairs.asked, targets)
        if strength is None
        else ridge(pairs.asked, targets, strength)
    )
    return Adapter(matrix, share, told(choice), encoder)


def told(choice: Choice | None) -> str:
    """The choice, for people."""
    if choice is None:
        return "none helped"
    strength, share = choice
    return f"{'Procrustes' if strength is None else f'ridge {strength:g}'}, share {share:g}"


def _adapted(pairs: Pairs, choice: Choice | None, asked: Floats) -> Floats:
    return asked if choice is None else adapter(pairs, choice, "")(asked)


def grades(pairs: Pairs, asked: Floats) -> Doubles:
    """nDCG@10 of each question over the passages, each right one worth the same."""
    found = np.zeros(len(asked))
    worth = 1 / np.log2(np.arange(2, FIRST + 2))
    for start in range(0, len(asked), _BLOCK):
        scores = asked[start : start + _BLOCK] @ pairs.passages.T
        for at, row in enumerate(scores, start=start):
            own = pairs.right[at]
            places = np.sort([int((row > row[one]).sum()) for one in own])
            best = worth[: len(own)].sum()
            found[at] = worth[places[places < FIRST]].sum() / best
    return found


def interval(gains: Doubles, seed: int = 0) -> tuple[float, float]:
    """Of the mean gain, by a paired bootstrap, at 1 - LEVEL."""
    random = np.random.default_rng(seed)
    means = [gains[random.integers(0, len(gains), len(gains))].mean() for _ in range(ROUNDS)]
    low, high = np.quantile(means, [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def grouped(names: Sequence[str]) -> Ints:
    """A number for each name, equal for equal ones."""
    known = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], dtype=np.int64)
