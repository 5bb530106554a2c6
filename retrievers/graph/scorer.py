"""Which relation path a question asks for: a log-linear model over the paths that are possible.

A path is described by its steps at their places, by its steps wherever they stand, by its length
and, if it was seen in training, by itself; each of these slots has a weight vector over the
question's features. So paths that were never asked for are scored by their parts (a whole-path
classifier cannot), and all is normalised over what the graph offers from the topic. Trained by the
marginal likelihood of the paths that give the right answers, where no path is labelled, on top of
the zero-shot score (zero.py). Not here: features of questions.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from retrievers.graph.paths import HOPS

Floats = NDArray[np.float32]
Names = tuple[str, ...]  # a path as labels
PENALTY = 0.0002
ROUNDS = 300
RATE = 1.0
ZERO = 0.5  # weight of the zero-shot score; learned, it grows until it drowns what was tuned
_MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of paths, by name: "1:directed by", "any:directed by", "hops:2", "path:..."."""

    index: dict[str, int]

    @classmethod
    def of(cls, paths: Sequence[Names], whole: Sequence[Names]) -> Slots:
        """Every slot of these paths; those of `whole` have one of their own."""
        names = dict.fromkeys(name for path in paths for name in _parts(path))
        names |= dict.fromkeys(_whole(path) for path in whole)
        return cls({name: at for at, name in enumerate(names)})

    def matrix(self, paths: Sequence[Names]) -> Floats:
        """1 where a path has a slot: shape (paths, slots)."""
        found = np.zeros((len(paths), len(self.index)), dtype=np.float32)
        for row, path in enumerate(paths):
            for name in (*_parts(path), _whole(path)):
                if (at := self.index.get(name)) is not None:
                    found[row, at] = 1.0
        return found


def _parts(path: Names) -> list[str]:
    last = len(path)
    placed = [f"{at}:{name}" for at, name in enumerate(path)]
    from_end = [f"-{last - at}:{name}" for at, name in enumerate(path)]
    pairs = [f"pair:{a}|{b}" for a, b in pairwise(path)]
    return [*placed, *from_end, *pairs, f"hops:{last}"]


def _whole(path: Names) -> str:
    return f"path:{'|'.join(path)}"


@dataclass(frozen=True, slots=True)
class Scorer:
    """`weights`: shape (slots, features); `bias`: (slots,); `hops`: the longest path asked for."""

    slots: Slots
    weights: Floats
    bias: Floats
    hops: int = HOPS

    def __call__(self, question: Floats, paths: Sequence[Names], zero: Floats) -> Floats:
        """A score for each path, of one question's features; `zero` are the zero-shot scores."""
        own = self.weights @ question + self.bias
        scores: Floats = self.slots.matrix(paths) @ own + ZERO * zero
        return scores

    def packed(self) -> bytes:
        """As bytes: arrays in float16 without any pickle."""
        out = io.BytesIO()
        np.savez_compressed(
            out, names=np.array(list(self.slots.index)), weights=self.weights.astype(np.float16),
            bias=self.bias, hops=np.int64(self.hops),
        )  # fmt: skip
        return out.getvalue()


def unpacked(body: bytes) -> Scorer:
    """A scorer out of its bytes."""
    with np.load(io.BytesIO(body), allow_pickle=False) as found:
        slots = Slots({str(name): at for at, name in enumerate(found["names"])})
        weights = found["weights"].astype(np.float32)
        return Scorer(slots, weights, found["bias"], int(found["hops"]))


@dataclass(frozen=True, slots=True)
class Lesson:
    """One labelled question: its features, the paths it might ask for, which of them are right
    (shares that add up to 1), their zero-shot scores.
    """

    question: Floats
    paths: tuple[Names, ...]
    right: Floats
    zero: Floats


def fit(lessons: Sequence[Lesson], penalty: float = PENALTY, rounds: int = ROUNDS) -> Scorer:
    """The scorer of these lessons; accelerated gradient descent in the span of their features."""
    paths = sorted({path for one in lessons for path in one.paths})
    at = {path: place for place, path in enumerate(paths)}
    seen = sorted({one.paths[at] for one in lessons for at in np.flatnonzero(one.right)})
    slots = Slots.of(paths, seen)
    offers = slots.matrix(paths)
    inputs = np.stack([one.question for one in lessons])
    gram = inputs @ inputs.T + 1.0  # the one is the bias
    open_, right, zeros = _laid(lessons, at)
    alphas: Floats = np.zeros((len(lessons), len(slots.index)), dtype=np.float32)
    speed: Floats = np.zeros_like(alphas)
    rate = RATE / float(np.linalg.eigvalsh(gram)[-1] / len(lessons) + 1e-9)
    for _ in range(rounds):
        ahead = alphas + _MOMENTUM * speed
        scores = gram @ ahead @ offers.T + ZERO * zeros
        chances = _softmax(np.where(open_, scores, -1e9))
        miss = chances - _shares(chances, right)
        slope = miss @ offers / len(lessons) + penalty * ahead
        speed = (_MOMENTUM * speed - rate * slope).astype(np.float32)
        alphas = alphas + speed
    most = max(len(path) for path in seen)
    return Scorer(slots, alphas.T @ inputs, alphas.sum(axis=0), most)


def _laid(
    lessons: Sequence[Lesson], at: dict[Names, int]
) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """(offered, right, zero-shot score) of every path for every lesson."""
    shape = (len(lessons), len(at))
    open_, right = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.float32)
    zeros = np.zeros(shape, dtype=np.float32)
    for row, one in enumerate(lessons):
        places = [at[path] for path in one.paths]
        open_[row, places] = True
        right[row, places] = one.right
        zeros[row, places] = one.zero
    return open_, right, zeros


def _shares(chances: Floats, right: Floats) -> Floats:
    """What the chances should be: of the right paths, those that the model likes count more."""
    kept = chances * right
    total = kept.sum(axis=1, keepdims=True)
    even = right / np.maximum(right.sum(axis=1, keepdims=True), 1e-9)
    shares: Floats = np.where(total > 1e-12, kept / np.maximum(total, 1e-12), even)
    return shares


def _softmax(scores: Floats) -> Floats:
    lifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    made: Floats = lifted / lifted.sum(axis=1, keepdims=True)
    return made
