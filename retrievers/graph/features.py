"""What a question looks like to the scorer of paths: its vector and the pieces of its words.

The topic is masked first, so that names say nothing. Not here: what paths look like (scorer.py).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
MASK = "it"
WORDS, LETTERS = 4096, 4096  # buckets of hashed word and letter n-grams
NEAR = 2  # words from the topic
_MARK = "@"
_WORD = re.compile(r"[\w@']+")


def masked(question: str, topic: str) -> str:
    """The question with "@" for the topic, where it names it in whatever case."""
    for name in (topic, topic.replace("_", " ")):
        found = re.search(re.escape(name), question, re.I) if name else None
        if found:
            return f"{question[: found.start()]}{_MARK}{question[found.end() :]}"
    return question


def features(texts: Sequence[str], embed: Embed) -> Vectors:
    """Rows of (vector, hashed word 1- to 3-grams, hashed letter 3- to 5-grams), each part of
    length 1: shape (len(texts), dimension + WORDS + LETTERS).
    """
    if not texts:
        return np.empty((0, 0), dtype=np.float32)
    dense = embed([text.replace(_MARK, MASK) for text in texts])
    words = np.stack([_hashed(_words(text), WORDS) for text in texts])
    letters = np.stack([_hashed(_letters(text), LETTERS) for text in texts])
    return np.concatenate([dense, words, letters], axis=1).astype(np.float32)


def _hashed(pieces: Iterator[str], size: int) -> Vectors:
    row = np.zeros(size, dtype=np.float32)
    for piece in pieces:
        row[zlib.crc32(piece.encode()) % size] += 1
    row = np.log1p(row)
    length = float(np.linalg.norm(row))
    return row / length if length else row


def _words(text: str) -> Iterator[str]:
    words = ["<", *_WORD.findall(text.lower()), ">"]
    for size in (1, 2, 3):
        yield from (" ".join(words[at : at + size]) for at in range(len(words) - size + 1))
    topic = next((at for at, word in enumerate(words) if _MARK in word), None)
    if topic is not None:  # the first step is said near the topic, the last one far from it
        yield from (f"{_far(at - topic)}:{word}" for at, word in enumerate(words))


def _far(distance: int) -> str:
    return "near" if abs(distance) <= NEAR else "before" if distance < 0 else "after"


def _letters(text: str) -> Iterator[str]:
    for word in _WORD.findall(text.lower()):
        word = f" {word} "
        for size in (3, 4, 5):
            yield from (f"|{word[at : at + size]}" for at in range(len(word) - size + 1))
