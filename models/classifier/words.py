"""Words and pairs of words of a text, weighed as TF-IDF: the part of a classifier one can read.

Sublinear counts, smoothed idf, unit length (Salton and Buckley 1988). Not here: what is learned
over them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LONGEST = 3  # words of a feature
SEEN = 2  # texts in which a feature must occur
MOST = 60_000  # features, the commonest
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Words:
    """`terms` in order of their columns; `idf` one number a term."""

    terms: tuple[str, ...]
    idf: Floats
    places: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Words:
        """The terms that at least SEEN of the texts have."""
        seen: Counter[str] = Counter()
        for text in texts:
            seen.update(set(grams(text)))
        kept = sorted((t for t, n in seen.items() if n >= SEEN), key=lambda t: (-seen[t], t))[:MOST]
        idf = [np.log((1 + len(texts)) / (1 + seen[t])) + 1 for t in kept]
        return cls(tuple(kept), np.array(idf, np.float32), {t: n for n, t in enumerate(kept)})

    @classmethod
    def read(cls, terms: Sequence[str], idf: Floats) -> Words:
        """As they were kept."""
        return cls(tuple(terms), idf, {t: n for n, t in enumerate(terms)})

    def __call__(self, text: str) -> tuple[NDArray[np.int64], Floats]:
        """(columns, weights) of the text's terms, of unit length; empty where none is known."""
        counts = Counter(self.places[gram] for gram in grams(text) if gram in self.places)
        columns = np.fromiter(sorted(counts), np.int64, len(counts))
        values = np.array([1 + np.log(counts[int(c)]) for c in columns], np.float32)
        values = values * self.idf[columns]
        norm = float(np.linalg.norm(values))
        return columns, np.asarray(values / norm if norm else values, np.float32)


def grams(text: str) -> Iterable[str]:
    """Runs of one to LONGEST words, lower case."""
    words = _WORD.findall(text.lower())
    for size in range(1, LONGEST + 1):
        for start in range(len(words) - size + 1):
            yield " ".join(words[start : start + size])
