"""Which words made a text's meaning point to a label: each is left out in turn (Li et al. 2016,
arXiv 1612.08220).

What words add by themselves is exact; what they add to the vector is how far the score falls
without them. It costs up to RUNS encodings a text. Not here: predictions (model.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.classifier.model import Classifier, Prediction, heaviest

RUNS = 16  # pieces of a text that are left out in turn
LONGEST = 60  # characters of a reason
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def explained(model: Classifier, encode: Encode, texts: Sequence[str]) -> list[Prediction]:
    """Predictions whose reasons are words of the text, also where its meaning told."""
    vectors = encode(texts)
    said = model.predict(texts, vectors)
    if not model.scale or len(model.labels) < 2:
        return said
    pieces = [left_out(text) for text in texts]
    rest = encode([without for some in pieces for _, without in some])
    ends = np.cumsum([len(some) for some in pieces])
    found = []
    for at, one in enumerate(said):
        rows = rest[ends[at] - len(pieces[at]) : ends[at]]
        names = [piece for piece, _ in pieces[at]]
        found.append(_told(model, one, (texts[at], vectors[at]), (names, rows)))
    return found


def left_out(text: str) -> list[tuple[str, str]]:
    """(piece, the text without it): words, or runs of them where there are more than RUNS; nothing
    of a text of one word, of which nothing would be left.
    """
    words = text.split()
    runs = np.array_split(np.arange(len(words)), min(RUNS, len(words))) if words else []
    if len(runs) < 2:
        return []
    return [(" ".join(words[i] for i in run), " ".join(words[: run[0]] + words[run[-1] + 1 :]))
            for run in runs]  # fmt: skip


def _told(
    model: Classifier, one: Prediction, whole: tuple[str, NDArray[np.float32]],
    rest: tuple[list[str], NDArray[np.float32]],
) -> Prediction:  # fmt: skip
    """The prediction with the reasons told by words."""
    names, rows = rest
    if not names:
        return one
    text, vector = whole
    columns, by_word, by_vector = model.parts(text, vector)
    scores = by_word.sum(axis=1) + by_vector + model.bias
    first, second = (int(at) for at in np.argsort(-scores, kind="stable")[:2])
    terms = [model.words.terms[int(column)] for column in columns]
    exact = (by_word[first] - by_word[second]).tolist()
    found = dict(zip(terms, exact, strict=True))
    apart = (model.vector_weights[first] - model.vector_weights[second]) * model.scale
    for name, fell in zip(names, (apart @ vector - rows @ apart).tolist(), strict=True):
        shown = name.lower().strip('.,;:!?"()') or name
        shown = shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
        found[shown] = found.get(shown, 0.0) + fell
    return replace(one, because=heaviest(found))
