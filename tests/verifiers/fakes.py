"""A stand-in encoder for verifier tests: hashed bags of words, so that shared words are near."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from corpus.tokens import tokens
from pilotfish.types import Case, Passage, Place, Question
from verifiers.evidence import Vectors


def embed(texts: Sequence[str]) -> Vectors:
    """(n, 256), L2-normalised."""
    vectors = np.zeros((len(texts), 256), dtype=np.float32)
    for row, text in enumerate(texts):
        for token in tokens(text):
            vectors[row, zlib.crc32(token.encode()) % 256] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def passage(text: str, number: int = 1, heading: str = "Terms", **more: object) -> Passage:
    """A passage of a document of its own, starting at character 100."""
    place = Place(page=2, heading=(heading,))
    return Passage(number, text, f"d{number}", 100, 100 + len(text), place, title="Lamps", **more)  # type: ignore[arg-type]


def case_of(question: str, *texts: str) -> Case:
    passages = tuple(passage(text, number) for number, text in enumerate(texts, start=1))
    return Case(Question(question), passages)
