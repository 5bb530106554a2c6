"""A log-linear model over candidates, fitted so that the right answers hold the mass.

P(program) is proportional to exp(sum of weights); the loss is minus the log of what the programs
that give the right answer hold together (Pasupat and Liang, arXiv 1508.00305), minimised by AdaGrad
(Duchi et al. 2011) with an L1 shrinkage. numpy alone. Not here: which features (features.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrievers.tableqa.features import Design

BITS = 20
MASK = np.uint32((1 << BITS) - 1)
RATE = 0.1
SHRINK = 1e-3
FIRST_SQUARE = 1.0  # what AdaGrad starts from: a rare feature must not jump
FURTHER_SQUARE = 10.0  # onwards from fitted weights: few examples must not undo many
Vector = NDArray[np.float64]
Table = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A design and which of its candidates are right; at least one is."""

    design: Design
    right: NDArray[np.bool_]


def places(design: Design) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Where the weights lie: (traits, phrases) and (facts,), places of a table of 2 ** BITS."""
    left = (design.traits * np.uint32(0x9E3779B1))[:, None]
    right = (design.phrases * np.uint32(0x85EBCA77))[None, :]
    mixed = left ^ right
    mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    facts = (design.facts ^ (design.facts >> np.uint32(13))) * np.uint32(0xC2B2AE3D)
    return (mixed >> np.uint32(32 - BITS)), facts >> np.uint32(32 - BITS)


def scores(design: Design, weights: Table) -> Vector:
    """One score a candidate: log-odds up to a constant of the question."""
    crossed, alone = places(design)
    parts = np.concatenate([weights[crossed].sum(axis=1), weights[alone]]).astype(np.float64)
    return np.asarray(np.add.reduceat(parts[design.items], design.starts))


def shares(values: Vector) -> Vector:
    """The softmax of scores."""
    grown = np.exp(values - values.max())
    return np.asarray(grown / grown.sum())


@dataclass(slots=True)
class Trainer:
    """Weights in the making. rate: of AdaGrad; shrink: what L1 takes of every touched weight."""

    weights: Table
    squares: Table
    rate: float = RATE
    shrink: float = SHRINK

    @classmethod
    def fresh(cls, start: Table | None = None) -> Trainer:
        """From zero, or onwards from other weights."""
        size = 1 << BITS
        weights = np.zeros(size, np.float32) if start is None else start.astype(np.float32).copy()
        first = FIRST_SQUARE if start is None else FURTHER_SQUARE
        return cls(weights, np.full(size, first, np.float32))

    def learn(self, lesson: Lesson) -> float:
        """One step; gives the loss before it, in nats."""
        design = lesson.design
        crossed, alone = places(design)
        weights = self.weights
        parts = np.concatenate([weights[crossed].sum(axis=1), weights[alone]]).astype(np.float64)
        held = shares(np.add.reduceat(parts[design.items], design.starts))
        mass = float(held[lesson.right].sum())
        wanted = np.where(lesson.right, held / max(mass, 1e-12), 0.0)
        sizes = np.diff(np.append(design.starts, len(design.items)))
        slope = np.bincount(
            design.items, np.repeat(held - wanted, sizes), minlength=len(parts)
        ).astype(np.float32)
        count = len(design.traits)
        busy = np.flatnonzero(np.abs(slope[:count]) > 1e-5)
        spread = np.repeat(slope[busy], crossed.shape[1])
        self._step(crossed[busy].ravel(), spread)
        self._step(alone, slope[count:])
        return -float(np.log(max(mass, 1e-12)))

    def _step(self, at: NDArray[np.uint32], slope: Table) -> None:
        self.squares[at] += slope * slope
        moved = self.weights[at] - self.rate * slope / np.sqrt(self.squares[at])
        cut = self.shrink * self.rate / np.sqrt(self.squares[at])
        self.weights[at] = np.sign(moved) * np.maximum(np.abs(moved) - cut, 0)


def train(lessons: Sequence[Lesson], trainer: Trainer, passes: int, seed: int = 0) -> Table:
    """The mean of the weights after each pass but the first, lessons in a random order."""
    dice = np.random.default_rng(seed)
    total = np.zeros_like(trainer.weights)
    for number in range(passes):
        for i in dice.permutation(len(lessons)):
            trainer.learn(lessons[i])
        if number or passes == 1:
            total += trainer.weights
    return (total / max(1, passes - 1)).astype(np.float32)
