"""BM25 over whole pages in memory (k1 1.2, b 0.75): every page gets a score, as features need it.

Not here: the index on disk, which gives the best few passages (retrievers/bm25_index.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
K1, B = 1.2, 0.75


class Words:
    """`pages`: the tokens of each page."""

    def __init__(self, pages: Sequence[Sequence[str]]) -> None:
        self._count = len(pages)
        lengths = np.array([len(page) for page in pages], dtype=np.float64)
        longer = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean()) if len(pages) else 1.0))
        places: dict[str, list[int]] = {}
        often: dict[str, list[int]] = {}
        for place, page in enumerate(pages):
            for token, count in Counter(page).items():
                places.setdefault(token, []).append(place)
                often.setdefault(token, []).append(count)
        self._postings: dict[str, tuple[NDArray[np.int64], Floats]] = {}
        self.rarity: dict[str, float] = {}
        for token, where in places.items():
            at, tf = np.array(where, dtype=np.int64), np.array(often[token], dtype=np.float64)
            idf = float(np.log(1 + (self._count - len(where) + 0.5) / (len(where) + 0.5)))
            weights = idf * tf * (K1 + 1) / (tf + longer[at])
            self._postings[token], self.rarity[token] = (at, weights.astype(np.float32)), idf

    def __call__(self, tokens: Sequence[str]) -> Floats:
        """The score of every page."""
        scores = np.zeros(self._count, dtype=np.float32)
        for token, count in Counter(tokens).items():
            if token in self._postings:
                at, weights = self._postings[token]
                scores[at] += count * weights
        return scores
