"""Words of a question that the collection does not have, and the nearest that it has.

By edit distance (a swap of neighbours is one edit), then by how often the collection says it. The
words come from at most SAMPLED passages, so that a large collection costs no more than about a
second, once a revision, and only when a word is unknown. Not here: which words the index knows.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from corpus.tokens import tokens
from pilotfish.text import CJK, fold
from store import collections, passages
from store.database import Database

SAMPLED = 20_000  # passages
SHORTEST, LONGER = 4, 8  # letters: from SHORTEST on one edit, from LONGER on two
_WORD = re.compile(r"[^\W\d_]+")


class Vocabulary:
    """How often each word stands in the collection, counted when first needed; for threads."""

    def __init__(self, database: Database, name: str) -> None:
        self.database, self.name = database, name
        self._held: tuple[tuple[int, int], dict[int, dict[str, int]]] | None = None
        self._reading = threading.Lock()

    def near(self, length: int, reach: int) -> dict[str, int]:
        """Words whose lengths differ by at most `reach`, with their counts."""
        by_length = self._counted()
        found: dict[str, int] = {}
        for n in range(length - reach, length + reach + 1):
            found |= by_length.get(n, {})
        return found

    def _counted(self) -> dict[int, dict[str, int]]:
        with self.database.read() as connection, self._reading:
            here = collections.find(connection, self.name)
            key = (here.id, here.revision)
            if self._held is None or self._held[0] != key:
                ids = passages.all_ids(connection, here.id)
                some = ids[:: max(1, -(-len(ids) // SAMPLED))]
                counts: Counter[str] = Counter()
                for passage in passages.fetch(connection, some).values():
                    counts.update(_WORD.findall(fold(f"{passage.title} {passage.text}")))
                self._held = key, _by_length(counts)
            return self._held[1]


def _by_length(counts: Counter[str]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for word, count in counts.items():
        if len(word) >= SHORTEST - 1:
            found.setdefault(len(word), {})[word] = count
    return found


@dataclass(frozen=True, slots=True)
class Spell:
    """`known` gives those of some index tokens that any passage has; `pieces` into how many an
    encoder cuts each word: what it reads in one piece is a word, though nobody used it here.
    """

    vocabulary: Vocabulary
    known: Callable[[Sequence[str]], set[str]]
    pieces: Callable[[Sequence[str]], Sequence[int]] = lambda words: [2] * len(words)

    def __call__(self, text: str) -> dict[str, str]:
        """Unknown word -> the nearest known one, both folded; nothing where none is near."""
        found = [word for word in dict.fromkeys(_WORD.findall(fold(text)))
                 if len(word) >= SHORTEST and not CJK.search(word)]  # fmt: skip
        own = {word: tokens(word) for word in found}
        there = self.known([token for parts in own.values() for token in parts])
        unknown = [word for word, parts in own.items() if parts and not there.issuperset(parts)]
        cut = self.pieces(unknown) if unknown else []
        odd = [word for word, pieces in zip(unknown, cut, strict=True) if pieces > 1]
        return {word: near for word in odd if (near := self.nearest(word))}

    def nearest(self, word: str) -> str | None:
        """By edits, then by whether it begins alike, then by how often it is said."""
        reach = 2 if len(word) >= LONGER else 1
        words = self.vocabulary.near(len(word), reach)
        close = extract(word, words.keys(), scorer=OSA.distance, score_cutoff=reach, limit=30)
        ranked = sorted((edits, one[0] != word[0], -words[one], one) for one, edits, _ in close)
        return ranked[0][3] if ranked else None
