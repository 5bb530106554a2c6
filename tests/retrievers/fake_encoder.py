"""An encoder for tests: words hashed into a vector. The same everywhere, and instant."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np

from pilotfish.text import words
from retrievers.dense_index import Vectors


class FakeEncoder:
    """Texts that share words have a high cosine. `seen` is everything it encoded."""

    limit = 64

    def __init__(self, fingerprint: str = "fake-1", dimension: int = 32) -> None:
        self.fingerprint = fingerprint
        self.dimension = dimension
        self.seen: list[str] = []
        self.gate: threading.Barrier | None = None

    def encode(
        self, texts: Sequence[str], *, kind: Literal["passage", "query"] = "passage"
    ) -> Vectors:
        """Shape (texts, dimension), L2-normalised."""
        if self.gate:
            self.gate.wait(10)
        if kind == "passage":
            self.seen.extend(texts)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in words(text) or [""]:
                noise = np.random.default_rng(zlib.crc32((self.fingerprint + word).encode()))
                row += noise.standard_normal(self.dimension).astype(np.float32)
            row /= np.linalg.norm(row)
        return rows

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(words(text)) for text in texts]

    def readable(self, text: str) -> float:
        """The share of ASCII characters."""
        return sum(character.isascii() for character in text) / max(1, len(text))
