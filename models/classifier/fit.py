"""Trains a classifier of texts: words, vectors, or both, whichever wins on held-back folds.

Multinomial logistic regression (scikit-learn) over TF-IDF of words beside a frozen encoder's
vectors; confidence by temperature (Guo et al. 2017, arXiv 1706.04599) on what each fold said of
texts that it was not trained on. The dumb baseline, the commonest label, is measured beside it.
Not here: serving (model.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier.model import Classifier, Example
from models.classifier.words import Words

FOLDS, SEED = 4, 3
STRENGTH = 5.0  # inverse of the penalty
SCALE = 1.0  # of unit vectors beside unit rows of words
KEPT = 2000  # examples that are kept to be shown beside a text
SURE = 0.98  # accuracy of what would be kept from an LLM
Floats = NDArray[np.float32]
VIEWS = {"words": (1.0, 0.0), "vectors": (0.0, 3.0), "both": (1.0, SCALE)}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts, their labels, their vectors (texts, dimension)."""

    texts: Sequence[str]
    labels: Sequence[str]
    vectors: Floats


def fit(
    given: Labelled, encoder: tuple[str, str], views: Sequence[str] = tuple(VIEWS)
) -> Classifier:
    """The best of these views. ValueError where there are fewer than two labels, or but one text
    of a label.
    """
    labels = tuple(sorted(set(given.labels)))
    counts = Counter(given.labels)
    if len(labels) < 2:
        raise ValueError(f"all texts have the label {labels[0]!r}: at least two are needed")
    rare = [label for label in labels if counts[label] < 2]
    if rare:
        raise ValueError(f"only one text has the label {rare[0]!r}: give at least two")
    words = Words.of(given.texts)
    design, gold = _rows(words, given.texts), np.array([labels.index(x) for x in given.labels])
    said = {
        view: _held_out(design, given.vectors, gold, scales)
        for view, scales in VIEWS.items()
        if view in views
    }
    right = {view: float((scores.argmax(1) == gold).mean()) for view, scores in said.items()}
    view = max(said, key=lambda name: (right[name], name == "both"))
    scores = said[view]
    temperature = cooled(scores, gold)
    weights, bias = _logistic(_beside(design, given.vectors, VIEWS[view]), gold, len(labels))
    split = design.shape[1]
    by_word = weights[:, :split] * VIEWS[view][0]
    chances = softmax(scores / temperature)
    measured = {
        "view": view, "accuracy": round(right[view], 4),
        "beside": {name: round(value, 4) for name, value in right.items()}
        | {"commonest label": round(max(counts.values()) / len(gold), 4)},
        f"kept at {SURE:.0%} right": round(kept_at(chances, gold), 4),
        f"confidence for {SURE:.0%}": round(confidence_for(chances, gold), 4),
        "calibration error": round(calibration_error(chances, gold), 4),
    }  # fmt: skip
    shown, places = examples(given, labels, chances)
    return Classifier(
        labels, words, by_word.astype(np.float32), weights[:, split:].astype(np.float32),
        bias.astype(np.float32), VIEWS[view][1], temperature, encoder, measured, shown,
        given.vectors[places].astype(np.float32),
    )  # fmt: skip


def _rows(words: Words, texts: Sequence[str]) -> Any:
    """A sparse matrix (texts, terms)."""
    from scipy.sparse import csr_matrix

    found = [words(text) for text in texts]
    starts = np.cumsum([0, *(len(columns) for columns, _ in found)])
    columns = np.concatenate([c for c, _ in found]) if found else np.zeros(0, np.int64)
    values = np.concatenate([v for _, v in found]) if found else np.zeros(0, np.float32)
    return csr_matrix((values, columns, starts), shape=(len(texts), len(words.terms)))


def _beside(design: Any, vectors: Floats, scales: tuple[float, float]) -> Any:
    from scipy.sparse import csr_matrix, hstack

    return hstack([design * scales[0], csr_matrix(vectors * scales[1])]).tocsr()


def _held_out(
    design: Any, vectors: Floats, gold: NDArray[Any], scales: tuple[float, float]
) -> Floats:
    """Scores of each text by a model that was trained without its fold: (texts, labels)."""
    rows, count = _beside(design, vectors, scales), int(gold.max()) + 1
    scores = np.zeros((len(gold), count), np.float32)
    for fold in folds(gold):
        rest = np.setdiff1d(np.arange(len(gold)), fold)
        weights, bias = _logistic(rows[rest], gold[rest], count)
        scores[fold] = rows[fold] @ weights.T + bias
    return scores


def folds(gold: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Places of each fold: every label is spread evenly, and is left in what remains."""
    dealt: list[list[int]] = [[] for _ in range(FOLDS)]
    rng = np.random.RandomState(SEED)
    for label in np.unique(gold):
        for turn, at in enumerate(rng.permutation(np.flatnonzero(gold == label))):
            dealt[turn % FOLDS].append(int(at))
    return [np.array(sorted(some), np.int64) for some in dealt if some]


def _logistic(rows: Any, gold: NDArray[Any], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """(weights (labels, features), bias (labels,)); a label that is not there gets -30."""
    from sklearn.linear_model import LogisticRegression

    there = np.unique(gold)
    weights, bias = np.zeros((count, rows.shape[1])), np.full(count, -30.0)
    if len(there) == 1:
        bias[there[0]] = 0.0
        return weights, bias
    made = LogisticRegression(C=STRENGTH, max_iter=100, tol=1e-3).fit(rows, gold)
    coefficients, intercept = made.coef_, made.intercept_
    if len(there) == 2:
        coefficients = np.vstack([-coefficients / 2, coefficients / 2])
        intercept = np.concatenate([-intercept / 2, intercept / 2])
    weights[there], bias[there] = coefficients, intercept
    return weights, bias


def cooled(scores: Floats, gold: NDArray[Any]) -> float:
    """The temperature at which held-out labels are likeliest.

    A few texts that were all right prove no certainty: the labels are smoothed as Platt (1999) did.
    """
    smooth = 2.0 / (len(gold) + 2.0)
    grid = np.exp(np.linspace(np.log(0.1), np.log(20.0), 100))

    def loss(temperature: float) -> float:
        logs = np.log(np.maximum(softmax(scores / temperature), 1e-9))
        own = logs[np.arange(len(gold)), gold]
        return float(-((1 - smooth) * own + smooth * logs.mean(axis=1)).mean())

    return round(float(min(grid, key=loss)), 4)


def softmax(scores: Floats) -> Floats:
    """Over the last axis."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


def kept_at(chances: Floats, gold: NDArray[Any], sure: float = SURE) -> float:
    """The largest share of the surest of which this many are right."""
    order = np.argsort(-chances.max(1), kind="stable")
    right = (chances.argmax(1) == gold)[order]
    good = np.flatnonzero(np.cumsum(right) >= sure * np.arange(1, len(gold) + 1))
    return float((good[-1] + 1) / len(gold)) if len(good) else 0.0


def confidence_for(chances: Floats, gold: NDArray[Any], sure: float = SURE) -> float:
    """The least confidence of what `kept_at` keeps: a threshold for other texts; 1: of nothing."""
    count = round(kept_at(chances, gold, sure) * len(gold))
    return float(np.sort(chances.max(1))[::-1][count - 1]) if count else 1.0


def calibration_error(chances: Floats, gold: NDArray[Any], bins: int = 10) -> float:
    """Mean distance of confidence and share right, over tenths of the texts by confidence."""
    sure = chances.max(1)
    right = chances.argmax(1) == gold
    parts = np.array_split(np.argsort(sure, kind="stable"), bins)
    return float(sum(len(p) * abs(sure[p].mean() - right[p].mean()) for p in parts if len(p))
                 / len(gold))  # fmt: skip


def examples(
    given: Labelled, labels: Sequence[str], chances: Floats
) -> tuple[tuple[Example, ...], NDArray[np.int64]]:
    """At most KEPT of the texts, spread over all, and their places."""
    places = np.unique(np.linspace(0, len(given.texts) - 1, min(KEPT, len(given.texts)), dtype=int))
    best = chances.argmax(1)
    found = tuple(
        Example(given.texts[at], given.labels[at], labels[int(best[at])],
                round(float(chances[at, best[at]]), 4))
        for at in places
    )  # fmt: skip
    return found, places.astype(np.int64)


def told(measured: Mapping[str, Any]) -> str:
    """For people: how good it was on texts that were left out."""
    kept = next((v for k, v in measured.items() if k.startswith("kept at")), 0.0)
    return (f"{measured['accuracy']:.1%} right on texts left out (commonest label: "
            f"{measured['beside']['commonest label']:.1%}); {kept:.0%} of them could be kept from "
            f"an LLM at {SURE:.0%} right")  # fmt: skip
