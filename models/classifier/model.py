"""A classifier of texts: a logistic over words and over a frozen encoder's vector, calibrated.

SuperICL's plug-in model (arXiv 2305.08848), small enough to train while one waits and to be read:
what a word adds to a label is its weight. Not here: training (fit.py), the encoder.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier.words import Words

Floats = NDArray[np.float32]
TOLD = 4  # reasons that are given
LEAST = 0.0005  # weight of a reason
WORDING = "(meaning as a whole)"  # the vector's part, for people


@dataclass(frozen=True, slots=True)
class Example:
    """A training text, its label, and what the model said of it when it was left out."""

    text: str
    label: str
    said: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """`confidence`: calibrated P(the label is right); `because`: (feature, weight) that told the
    label from the next best, the largest first; `chances` of every label.
    """

    label: str
    confidence: float
    because: tuple[tuple[str, float], ...]
    chances: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Classifier:
    """`words_weights` (labels, terms), `vector_weights` (labels, dimension), `bias` (labels,).

    scale: what the vector is multiplied by; temperature: what scores are divided by. encoder:
    (name, fingerprint) of the encoder that the vectors come from. examples: with their vectors,
    to show beside a text.
    """

    labels: tuple[str, ...]
    words: Words
    words_weights: Floats
    vector_weights: Floats
    bias: Floats
    scale: float
    temperature: float
    encoder: tuple[str, str]
    measured: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    vectors: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def predict(self, texts: Sequence[str], vectors: Floats) -> list[Prediction]:
        """One prediction a text; vectors (texts, dimension) of the encoder, unit length."""
        return [self._one(text, vector) for text, vector in zip(texts, vectors, strict=True)]

    def _one(self, text: str, vector: Floats) -> Prediction:
        columns, by_word, by_vector = self.parts(text, vector)
        scores = (by_word.sum(axis=1) + by_vector + self.bias) / self.temperature
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        first, second = (int(at) for at in np.argsort(-scores, kind="stable")[:2])
        apart = by_word[first] - by_word[second]
        terms = (self.words.terms[int(column)] for column in columns)
        found = {term: float(weight) for term, weight in zip(terms, apart, strict=True)}
        found[WORDING] = float(by_vector[first] - by_vector[second])
        return Prediction(
            self.labels[first], round(float(chances[first]), 4), heaviest(found),
            {label: round(float(c), 4) for label, c in zip(self.labels, chances, strict=True)},
        )  # fmt: skip

    def parts(self, text: str, vector: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
        """What each term and the vector add to scores: columns of terms (n,), (labels, n),
        (labels,).
        """
        columns, values = self.words(text)
        by_word = self.words_weights[:, columns] * values
        return columns, by_word, self.vector_weights @ vector * self.scale

    def nearest(self, vector: Floats, k: int) -> list[Example]:
        """The k examples nearest to a vector, the nearest last."""
        if not len(self.vectors) or k <= 0:
            return []
        order = np.argsort(self.vectors @ vector, kind="stable")[-k:]
        return [self.examples[int(at)] for at in order]

    def packed(self) -> bytes:
        """As bytes; `unpacked` reads them. No pickles."""
        told = {
            "labels": self.labels, "terms": self.words.terms, "scale": self.scale,
            "temperature": self.temperature, "encoder": self.encoder,
            "measured": dict(self.measured),
            "examples": [[e.text, e.label, e.said, e.confidence] for e in self.examples],
        }  # fmt: skip
        body = io.BytesIO()
        np.savez_compressed(
            body, told=np.frombuffer(json.dumps(told).encode(), np.uint8), idf=self.words.idf,
            words=self.words_weights.astype(np.float16), bias=self.bias,
            vector=self.vector_weights, vectors=self.vectors.astype(np.float16),
        )  # fmt: skip
        return body.getvalue()


def heaviest(found: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """The features that weighed most, the largest first; what weighed nothing is no reason."""
    told = sorted(found.items(), key=lambda one: -abs(one[1]))[:TOLD]
    return tuple((name, round(weight, 3)) for name, weight in told if abs(weight) >= LEAST)


def unpacked(body: bytes) -> Classifier:
    """What `packed` wrote."""
    with np.load(io.BytesIO(body), allow_pickle=False) as kept:
        told = json.loads(kept["told"].tobytes().decode())
        return Classifier(
            tuple(told["labels"]), Words.read(told["terms"], kept["idf"]),
            kept["words"].astype(np.float32), kept["vector"], kept["bias"], told["scale"],
            told["temperature"], tuple(told["encoder"]), told["measured"],
            tuple(Example(*one) for one in told["examples"]),
            kept["vectors"].astype(np.float32),
        )  # fmt: skip
