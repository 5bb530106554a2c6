"""Fits the scorer of paths to a graph, and what its chances are worth, from labelled questions.

A question's path may be given; else all paths that lead to the given answers are held right.
Chances are measured on questions that were left out of fitting, in turn. Not here: storing.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retrievers.graph import scorer, zero
from retrievers.graph.calibrate import Curve, curve
from retrievers.graph.features import features, masked
from retrievers.graph.paths import HOPS, labels, proposed, walk
from retrievers.graph.reader import GraphReader
from retrievers.graph.scorer import Lesson, Scorer

FOLDS = 4
_WALKED = 400  # paths that are walked to find those that lead to the answers
_SAME = 0.5  # F1 of answers from which a path is held right


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question about a topic, its answers, and the path if somebody knows it."""

    question: str
    topic: str
    answers: tuple[str, ...]
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fitted:
    """`used` of `given` questions could be learned from; `accuracy` on questions left out."""

    scorer: Scorer
    curve: Curve | None
    given: int
    used: int
    accuracy: float

    def packed(self) -> bytes:
        """As bytes: the curve as a line of JSON, then the scorer."""
        shape = [self.curve.at, self.curve.worth] if self.curve else None
        return json.dumps(shape).encode() + b"\n" + self.scorer.packed()


def unpacked(body: bytes) -> tuple[Scorer, Curve | None]:
    """The scorer and its curve out of their bytes."""
    stream = io.BytesIO(body)
    shape = json.loads(stream.readline())
    found = Curve(tuple(shape[0]), tuple(shape[1])) if shape else None
    return scorer.unpacked(stream.read()), found


def fit(reader: GraphReader, labelled: Sequence[Labelled]) -> Fitted | None:
    """Fit to these questions; None when none of them can be learned from."""
    made = lessons(reader, labelled)
    pairs = [(one, lesson) for one, lesson in zip(labelled, made, strict=True) if lesson]
    if not pairs:
        return None
    chances, right = _held_out(reader, pairs)
    accuracy = float(np.mean(right)) if right else 0.0
    whole = scorer.fit([lesson for _, lesson in pairs])
    return Fitted(whole, curve(chances, right), len(labelled), len(pairs), accuracy)


def lessons(reader: GraphReader, labelled: Sequence[Labelled]) -> list[Lesson | None]:
    """One lesson a question; None where its topic, or any way to its answers, is not there."""
    texts = [masked(one.question, one.topic) for one in labelled]
    rows = features(texts, reader.embed)
    hops = max((len(one.path) for one in labelled), default=0) or HOPS
    return [
        _lesson(reader, one, text, row, hops)
        for one, text, row in zip(labelled, texts, rows, strict=True)
    ]


def _lesson(
    reader: GraphReader, one: Labelled, text: str, row: NDArray[np.float32], hops: int
) -> Lesson | None:
    entity = reader.names.topic(one.topic)
    paths = proposed(reader.graph, entity, hops) if entity is not None else []
    if entity is None or not paths:
        return None
    named = tuple(labels(reader.graph, path) for path in paths)
    unfitted = zero.scores(text, named, reader.embed)
    if one.path:
        right = np.array([name == one.path for name in named], dtype=np.float32)
    else:
        right = np.zeros(len(paths), dtype=np.float32)
        short = sorted(range(len(paths)), key=lambda at: (len(paths[at]), -unfitted[at]))
        for at in short[:_WALKED]:
            right[at] = _agrees(reader, entity, paths[at], one.answers)
        right = np.where(right == right.max(), right, 0.0)
    if not right.any():
        return None
    return Lesson(row, named, (right / right.sum()).astype(np.float32), unfitted)


def _agrees(
    reader: GraphReader, entity: int, path: tuple[int, ...], answers: Sequence[str]
) -> float:
    """F1 of a path's answers, 0 below one half."""
    walked = walk(reader.graph, entity, path)
    if walked is None:
        return 0.0
    found = {reader.graph.names[int(i)] for i in walked.found}
    both = len(found & set(answers))
    score = 2 * both / (len(found) + len(set(answers)))
    return score if score >= _SAME else 0.0


def _held_out(
    reader: GraphReader, pairs: Sequence[tuple[Labelled, Lesson]]
) -> tuple[list[float], list[bool]]:
    """Chance and rightness of the first value of each question, its fold left out of fitting."""
    if len(pairs) < 2 * FOLDS:
        return [], []
    chances, right = [], []
    for fold in range(FOLDS):
        kept = [lesson for at, (_, lesson) in enumerate(pairs) if at % FOLDS != fold]
        without = replace(reader, scorer=scorer.fit(kept), curve=None)
        for one, _ in pairs[fold::FOLDS]:
            found = without(one.question, one.topic)
            chances.append(found[0].chance if found else 0.0)
            right.append(bool(found) and found[0].values[0] in one.answers)
    return chances, right
