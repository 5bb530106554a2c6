"""Embeddings of many texts for learning and routing: each text encoded once, kept as float32.

Not here: the cache of answering (parts.Memo), which is small and forgets.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.encoder import Encoder
from pipeline.traits import LONGEST


class Vectors:
    """Texts to L2-normalised vectors (n, dimension)."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, npt.NDArray[np.float32]] = {}
        self.name, self.fingerprint = encoder.name, encoder.fingerprint

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.add(self.missing(texts))
        found = [self._known[text] for text in texts]
        return np.stack(found) if found else np.zeros((0, self._encoder.dimension), np.float32)

    def remember(self, texts: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        """Take these as known; of the same encoder, in the order of the texts."""
        self._known.update(zip(texts, vectors, strict=True))

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Those that are not encoded yet, each once."""
        return list(dict.fromkeys(text for text in texts if text not in self._known))

    def add(self, texts: Sequence[str]) -> None:
        """Encode these; only their start is read, as far as the encoder reads."""
        if texts:
            cut = [text[:LONGEST] for text in texts]
            self._known.update(zip(texts, self._encoder.encode(cut, kind="query"), strict=True))
