"""Which kinds of evidence hold the answer: a small logistic a kind, over what each kind found.

Every source is asked first, which is cheap; a question's words alone tell little of where a
collection keeps its answer. What is found is held against the question in the same way for every
kind (rare words shared, cosine, the source's own chance, how far other kinds come near), and each
kind's logistic gives P(its evidence holds the answer): one scale for all of them. Fitted by
`python -m benchmarks.structured.fit_sources`. Not here: asking the sources (sources.py).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.tokens import tokens
from pilotfish.types import Passage

KINDS = ("text", "table", "triple", "manual")
FEATURES = ("said", "near", "given", "rival said", "rival near", "totals", "order", "asks", "words")
LOOKED = 2  # passages of a kind that are looked at
_TOTALS = re.compile(r"\b(total|sum|average|how many|number of|most|least|highest|lowest|largest"
                     r"|smallest|last|first|next|before|after|difference|more than|less than)\b",
                     re.I)  # fmt: skip
_ASKS = re.compile(r"\b(who|what|which|when|where|whose|whom|how|why|is|are|was|were|did|do|does)"
                   r"\b", re.I)  # fmt: skip
Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
Rarity = Callable[[Sequence[str]], dict[str, float]]
Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Router:
    """`embed`: texts to unit vectors; `rarity`: a weight for each token, more for rarer ones."""

    embed: Embed
    rarity: Rarity

    def __call__(self, question: str, found: Mapping[str, Sequence[Passage]]) -> dict[str, float]:
        """kind -> P(its passages hold the answer); 0 for kinds that found nothing."""
        return {
            kind: chance(kind, figures) for kind, figures in self.figures(question, found).items()
        }

    def figures(
        self, question: str, found: Mapping[str, Sequence[Passage]]
    ) -> dict[str, Figures | None]:
        """FEATURES of each kind; None for kinds that found nothing."""
        looked = {kind: list(some[:LOOKED]) for kind, some in found.items()}
        said = self._said(question, looked)
        near = self._near(question, looked)
        form = _form(question)
        return {
            kind: {
                "said": said[kind], "near": near[kind], "given": _given(kind, some),
                "rival said": _rival(said, kind), "rival near": _rival(near, kind), **form,
            } if some else None
            for kind, some in looked.items()
        }  # fmt: skip

    def _said(self, question: str, looked: Mapping[str, Sequence[Passage]]) -> dict[str, float]:
        """The share of the question's rare words that the best passage of each kind has."""
        asked = list(dict.fromkeys(tokens(question)))
        weights = self.rarity(asked)
        whole = sum(weights.values()) or 1.0

        def share(passage: Passage) -> float:
            there = set(tokens(_shown(passage)))
            return sum(weight for token, weight in weights.items() if token in there) / whole

        return {kind: max(map(share, some), default=0.0) for kind, some in looked.items()}

    def _near(self, question: str, looked: Mapping[str, Sequence[Passage]]) -> dict[str, float]:
        """The best cosine of the question with a passage of each kind."""
        texts = [_shown(passage) for some in looked.values() for passage in some]
        vectors = self.embed([question, *texts])
        cosines = iter((vectors[1:] @ vectors[0]).tolist())
        return {kind: max((next(cosines) for _ in some), default=0.0)
                for kind, some in looked.items()}  # fmt: skip


def chance(kind: str, figures: Figures | None) -> float:
    """P(the kind's evidence holds the answer)."""
    if figures is None or kind not in weights():
        return 0.0
    bias, own = weights()[kind]
    odds = bias + sum(own[name] * figures[name] for name in FEATURES)
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


@cache
def weights() -> dict[str, tuple[float, dict[str, float]]]:
    """kind -> bias and the weight of each of FEATURES."""
    kept = json.loads(Path(__file__).with_name("router.json").read_text(encoding="utf-8"))
    return {
        kind: (float(one["bias"]), {name: float(one["weights"][name]) for name in FEATURES})
        for kind, one in kept["kinds"].items()
    }


def _given(kind: str, some: Sequence[Passage]) -> float:
    """The source's own chance, where its scores are chances."""
    return min(1.0, max(0.0, some[0].score)) if some and kind in ("table", "triple") else 0.0


def _rival(values: Mapping[str, float], kind: str) -> float:
    """How near the best of the other kinds comes."""
    return max((value for other, value in values.items() if other != kind), default=0.0)


def _form(question: str) -> dict[str, float]:
    asked = question.split()
    return {
        "totals": float(bool(_TOTALS.search(question))),
        "order": float(not _ASKS.search(question)),
        "asks": float(bool(asked) and bool(_ASKS.fullmatch(asked[0].strip("\"'(").lower() or "-"))),
        "words": min(len(asked), 30) / 10,
    }


def _shown(passage: Passage) -> str:
    names = dict.fromkeys(name for name in (passage.title, *passage.place.heading) if name)
    return ". ".join((*names, passage.text))
