"""How hard a prompt is: P(right) of each system, from the prompt alone, before any is called.

One logistic a system on the encoder's frozen embedding and on plain traits, as the routers of
RouteLLM (arXiv 2406.18665) and Hybrid LLM (2404.14618) predict who wins; beside them, as in
RouterBench (2403.12031), nearest neighbours, and the dumb ones: Random, Always, Never, Majority.
Not here: what it costs (policy.py), and what an answer's text adds (stop.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.logistic import Logistic, Matrix, fitted, probability
from pipeline.traits import prompt_traits

STRENGTH = 10.0  # of the penalty; chosen by grouped cross-validation, benchmarks/routing.py
NEIGHBOURS = 60
SHRINK = 5.0  # neighbours of average outcome that every prompt is given beside its own
_SHOWN = 3  # features that an explanation names


@dataclass(frozen=True, slots=True)
class Hardness:
    """The systems' judges, cheap to strong. Wins are P(right), shape (prompts, systems)."""

    judges: Mapping[str, Logistic]

    def wins(self, prompts: Sequence[str], vectors: Matrix) -> Matrix:
        """P(right) of each prompt and system."""
        table = [prompt_traits(prompt) for prompt in prompts]
        odds = [judge.odds(table, vectors) for judge in self.judges.values()]
        return probability(np.array(odds)).T.reshape(len(prompts), len(self.judges))

    def because(self, prompt: str, vector: Matrix, cheap: str, strong: str) -> str:
        """The features that speak most for and against the stronger of two systems."""
        traits = prompt_traits(prompt)
        weak = self.judges[cheap].parts(traits, vector)
        found = {n: v - weak[n] for n, v in self.judges[strong].parts(traits, vector).items()}
        return told(found, traits)


def told(parts: Mapping[str, float], traits: Mapping[str, float]) -> str:
    """The loudest parts of a judgement in words: `negation (1) +0.31`."""
    loudest = sorted(parts.items(), key=lambda one: -abs(one[1]))[:_SHOWN]
    values = {name: f" ({value:.3g})" for name, value in traits.items()}
    return ", ".join(f"{name}{values.get(name, '')} {part:+.2f}" for name, part in loudest)


def fit_hardness(
    systems: Sequence[str], prompts: Sequence[str], vectors: Matrix, right: Matrix,
    strength: float = STRENGTH,
) -> Hardness:  # fmt: skip
    """Fitted on recorded outcomes, shape (prompts, systems), NaN where a system did not answer."""
    table = [prompt_traits(prompt) for prompt in prompts]
    judges = {}
    for column, system in enumerate(systems):
        known = np.flatnonzero(~np.isnan(right[:, column]))
        rows = [table[row] for row in known]
        judges[system] = fitted(rows, vectors[known], right[known, column], strength)
    return Hardness(judges)


def gain(wins: Matrix) -> Matrix:
    """0 to 1: how much more often the last system is right than the first; 0.5 is no more."""
    return np.asarray((wins[:, -1] - wins[:, 0] + 1) / 2)


def neighbours(known: Matrix, right: Matrix, vectors: Matrix, count: int = NEIGHBOURS) -> Matrix:
    """P(right) of each system by the outcomes of the nearest known prompts (RouterBench's kNN).

    known, vectors: L2-normalised. right: (known, systems), no NaN. Shrunk towards the average.
    """
    count = min(count, len(known))
    mean = right.mean(axis=0)
    found = np.empty((len(vectors), right.shape[1]))
    for start in range(0, len(vectors), 512):
        likeness = vectors[start : start + 512] @ known.T
        nearest = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        found[start : start + 512] = (right[nearest].sum(axis=1) + SHRINK * mean) / (count + SHRINK)
    return found


def majority(right: Matrix, count: int) -> Matrix:
    """Each system's average for every prompt: who is right more often always wins."""
    return np.tile(np.nanmean(right, axis=0), (count, 1))


def at_random(count: int, seed: int = 0) -> Matrix:
    """A score that knows nothing."""
    return np.random.default_rng(seed).random(count)


def shown(hardness: Hardness) -> dict[str, Any]:
    """As JSON."""
    return {system: judge.shown() for system, judge in hardness.judges.items()}


def read(fields: Mapping[str, Any]) -> Hardness:
    """From JSON; ValueError where a judge is broken."""
    return Hardness({system: Logistic.read(judge) for system, judge in fields.items()})
