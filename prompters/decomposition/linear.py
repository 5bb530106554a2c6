"""The weights of decomposition: a softmax over classes, and one over candidates, in plain Python.

Fitted by `python -m benchmarks.prompting.fit_decomposition`; what they were fitted on and measured
at stands in CARD.md. Not here: fitting, features.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("weights.json")
Features = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Softmax:
    """feature -> one weight a class."""

    classes: tuple[str, ...]
    weights: Mapping[str, Sequence[float]]

    def __call__(self, features: Features) -> dict[str, float]:
        """P(class) of each class."""
        total = [0.0] * len(self.classes)
        for name, value in features.items():
            for place, weight in enumerate(self.weights.get(name, ())):
                total[place] += weight * value
        return dict(zip(self.classes, softmax(total), strict=True))


@dataclass(frozen=True, slots=True)
class Scorer:
    """feature -> weight: candidates are compared by the sum."""

    weights: Mapping[str, float]

    def __call__(self, features: Features) -> float:
        known = self.weights
        return sum(known.get(name, 0.0) * value for name, value in features.items())


def softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    raised = [math.exp(score - highest) for score in scores]
    return [one / sum(raised) for one in raised]


@dataclass(frozen=True, slots=True)
class Weights:
    """`form`: which form; `asked`: which property the rest of a question asks for; `spans`: role of
    a span -> its scorer; `steps`: the count of steps of a word problem, by its sizes.
    """

    form: Softmax
    asked: Softmax
    spans: Mapping[str, Scorer]
    steps: Scorer
    clauses: Scorer


@cache
def weights(file: Path = FILE) -> Weights:
    """The shipped weights."""
    found = json.loads(file.read_text(encoding="utf-8"))

    def classes(name: str) -> Softmax:
        return Softmax(tuple(found[name]["classes"]), found[name]["weights"])

    spans = {role: Scorer(own) for role, own in found["spans"].items()}
    return Weights(
        classes("form"), classes("asked"), spans, Scorer(found["steps"]), Scorer(found["clauses"])
    )
