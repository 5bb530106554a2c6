"""How well a path fits a question before anything was tuned: by what its relations are called.

StructGPT asks an LLM to choose relations, which is its main error (arXiv 2305.09645: 74 % of its
mistakes over graphs); here the encoder compares names with pieces of the question. A path fits when
each of its relations is said in the question, nothing of the question is left unsaid, and what is
said nearest to the topic is the first step. The eight weights were chosen by hand, looking at two
graphs (benchmarks/structured/graphs.py). Not here: tuning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corpus.tokens import tokens
from retrievers.graph.features import Embed, Vectors
from retrievers.graph.memory import INVERSE

Floats = NDArray[np.float32]
Names = tuple[str, ...]
FIGURES = ("said", "weakest", "covered", "whole", "order", "two", "three", "again")
WEAKEST = FIGURES.index("weakest")
WEIGHTS: Floats = np.array([4.0, 6.0, 14.0, 9.0, 1.8, -1.0, -2.5, -1.0], dtype=np.float32)
SMALL = frozenset(
    "a an the of in on by to is are was were be do does did for with which what who whom whose how "
    "when where and or that this it its 's s any some have has had can you me tell give all there "
    "their his her them from at as also".split()
)
_WORD = re.compile(r"[\w@']+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the question and the place of its middle."""

    text: str
    middle: float


def phrase(name: str) -> str:
    """A relation's name in words: `place_of_birth` and `placeOfBirth` become "place of birth"."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.removesuffix(INVERSE))
    return re.sub(r"[_\-/.]+", " ", name).strip().lower()


def pieces(text: str) -> tuple[list[Piece], float]:
    """Stretches of one to three words that say something, and the topic's place (-1: not named)."""
    words = _WORD.findall(text.lower())
    topic = next((at for at, word in enumerate(words) if "@" in word), -1)
    found: dict[str, Piece] = {}
    for size in (1, 2, 3):
        for at in range(len(words) - size + 1):
            some = words[at : at + size]
            if not any("@" in word for word in some) and any(w not in SMALL for w in some):
                found.setdefault(" ".join(some), Piece(" ".join(some), at + (size - 1) / 2))
    return list(found.values()), float(topic)


def scores(text: str, paths: Sequence[Names], embed: Embed, weights: Floats = WEIGHTS) -> Floats:
    """The zero-shot score of each path for a masked question."""
    if not paths:
        return np.empty(0, dtype=np.float32)
    made: Floats = figures(text, paths, embed) @ weights
    return made


def figures(text: str, paths: Sequence[Names], embed: Embed) -> Floats:
    """The figures of FIGURES for each path: shape (paths, figures)."""
    said, topic = pieces(text)
    relations = list(dict.fromkeys(name for path in paths for name in path))
    if not said:
        return np.zeros((len(paths), len(FIGURES)), dtype=np.float32)
    alike, words = _alike(said, relations, embed)
    at = {name: place for place, name in enumerate(relations)}
    whole = _whole(text, paths, embed)
    rows = [_row([at[name] for name in path], alike, words, (said, topic)) for path in paths]
    found = np.array(rows, dtype=np.float32)
    found[:, 3] = whole
    return found


def _alike(
    said: Sequence[Piece], relations: Sequence[str], embed: Embed
) -> tuple[Vectors, NDArray[np.bool_]]:
    """(likeness of each piece to each relation, which pieces are single words)."""
    names = [phrase(name) for name in relations]
    alike = embed([piece.text for piece in said]) @ embed(names).T
    for column, name in enumerate(names):
        own = set(tokens(name))
        for row, piece in enumerate(said):
            shared = own & set(tokens(piece.text))
            if shared:  # the same word is more than a word like it
                share = len(shared) / len(own | set(tokens(piece.text)))
                alike[row, column] = max(alike[row, column], 0.6 + 0.4 * share)
    return alike, np.array([" " not in piece.text for piece in said])


def _row(
    path: Sequence[int], alike: Vectors, words: NDArray[np.bool_],
    asked: tuple[Sequence[Piece], float],
) -> list[float]:  # fmt: skip
    said, topic = asked
    own = alike[:, path]
    best = own.max(axis=0)
    places = [said[int(row)].middle for row in own.argmax(axis=0)]
    covered = float(own[words].max(axis=1).mean()) if words.any() else 0.0
    hops = len(path)
    again = float(any(a == b for a, b in pairwise(path)))
    return [
        float(best.mean()), float(best.min()), covered, 0.0, _order(places, topic),
        float(hops == 2), float(hops == 3), again,
    ]  # fmt: skip


def _order(places: Sequence[float], topic: float) -> float:
    """The share of neighbouring steps of which the earlier is said nearer to the topic."""
    if len(places) < 2 or topic < 0:
        return 0.5
    far = [abs(place - topic) for place in places]
    kept = [1.0 if a < b else 0.5 if a == b else 0.0 for a, b in pairwise(far)]
    return sum(kept) / len(kept)


def _whole(text: str, paths: Sequence[Names], embed: Embed) -> Vectors:
    """Likeness of the whole question to the path read backwards, as people say it."""
    told = [" of the ".join(phrase(name) for name in reversed(path)) + " of @" for path in paths]
    distinct = list(dict.fromkeys(told))
    vectors = embed([one.replace("@", "it") for one in distinct])
    near = vectors @ embed([text.replace("@", "it")])[0]
    at = {one: place for place, one in enumerate(distinct)}
    found: Vectors = near[[at[one] for one in told]]
    return found
