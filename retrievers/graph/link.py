"""Which entity of the graph a question names: exact, by alias, by words, with a typo.

Names are compared without case, accents, underscores and what stands in brackets. The longest name
that the question holds wins; a name that is only a small word does not count. Where nothing
matches, the names nearest by letters are tried, then those nearest in meaning. Not here: paths.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from rapidfuzz import fuzz, process

from corpus.tokens import tokens
from retrievers.graph.memory import Graph
from retrievers.graph.zero import SMALL, phrase

LONGEST = 12  # words of a name that are looked for
TYPO = 86.0  # likeness of letters, of 100, of a name written wrongly
BESIDE = 0.2  # how much less than the best mention may fit and still be tried
MEANT = 0.6  # cosine of a name that is only alike in meaning
_FEW = 5_000  # entities whose names are compared by meaning
_WORD = re.compile(r"[^\W_]+", re.U)
_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*$")

Near = Callable[[str, Sequence[str]], np.ndarray]  # cosines of a text and names


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity that the question's [start, end) names; `score` 1 is its exact name."""

    entity: int
    start: int
    end: int
    score: float


def plain(name: str) -> str:
    """A name as it is compared: lower case, no accents, words parted by one blank."""
    decomposed = unicodedata.normalize("NFKD", name)
    bare = "".join(ch for ch in decomposed if not unicodedata.combining(ch))
    return " ".join(_WORD.findall(bare.casefold()))


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a graph's entities, plain -> entities, and names without what is in brackets."""

    graph: Graph
    exact: dict[str, list[int]]
    alias: dict[str, list[int]]
    starts: dict[str, list[str]] = field(repr=False)  # two first letters -> plain names
    spoken: frozenset[str] = frozenset()  # words of relations: "director" asks, seldom names

    def topic(self, name: str) -> int | None:
        """The entity that a caller names: exactly, else in another writing, else with a typo."""
        if name in self.graph.ids:
            return self.graph.ids[name]
        written = plain(name)
        found = self.exact.get(written) or self.alias.get(written)
        if found:
            return self._best(found)
        nearest = process.extractOne(written, self.exact.keys(), scorer=fuzz.ratio,
                                     score_cutoff=TYPO)  # fmt: skip
        return self._best(self.exact[nearest[0]]) if nearest else None

    def mentions(self, question: str) -> list[Mention]:
        """Entities that the question names, best first: none lies within a longer one."""
        words = _spans(question)
        found: list[Mention] = []
        for size in range(min(LONGEST, len(words)), 0, -1):
            for at in range(len(words) - size + 1):
                start, end = words[at][1], words[at + size - 1][2]
                if any(start < m.end and end > m.start for m in found):
                    continue
                name = " ".join(word for word, _, _ in words[at : at + size])
                if mention := self._named(name, question[start:end], (start, end)):
                    found.append(mention)
        if not found:
            found = self._misspelt(question, words)
        found.sort(key=lambda m: (-m.score, m.start))
        return [m for m in found if m.score >= found[0].score - BESIDE]

    def _named(self, name: str, written: str, span: tuple[int, int]) -> Mention | None:
        if all(word in SMALL for word in name.split()):
            return None
        for known, score in ((self.exact, 1.0), (self.alias, 0.9)):
            if entities := known.get(name):
                same = [one for one in entities if self.graph.names[one] == written]
                score += 0.1 if same else 0.0
                score += 0.3 if written != written.lower() else 0.0  # people write names so
                score += 0.01 * min(30, len(name))
                if set(tokens(name)) <= self.spoken:
                    score -= 0.5
                return Mention(self._best(same or entities), *span, score)
        return None

    def _misspelt(self, question: str, words: Sequence[tuple[str, int, int]]) -> list[Mention]:
        """The name nearest by letters to any run of capitalised or long words."""
        best: Mention | None = None
        for size in range(min(5, len(words)), 0, -1):
            for at in range(len(words) - size + 1):
                run = words[at : at + size]
                name = " ".join(word for word, _, _ in run)
                if len(name) < 5 or any(word in SMALL for word, _, _ in (run[0], run[-1])):
                    continue
                some = self.starts.get(name[:2], [])
                hit = process.extractOne(name, some, scorer=fuzz.ratio, score_cutoff=TYPO)
                if hit and (best is None or hit[1] / 100 - 0.2 > best.score):
                    entity = self._best(self.exact[hit[0]])
                    best = Mention(entity, run[0][1], run[-1][2], hit[1] / 100 - 0.2)
        return [best] if best else []

    def meant(self, question: str, near: Near) -> list[Mention]:
        """The entity whose name is nearest in meaning; only in graphs of few entities."""
        if len(self.graph.names) > _FEW or not self.graph.names:
            return []
        cosines = near(question, [name.replace("_", " ") for name in self.graph.names])
        best = int(np.argmax(cosines))
        score = float(cosines[best])
        return [Mention(best, 0, 0, score - 0.2)] if score >= MEANT else []

    def _best(self, entities: Sequence[int]) -> int:
        """Of several things of one name the one that more is known of."""
        return entities[0] if len(entities) == 1 else max(entities, key=self.graph.degree)


def names_of(graph: Graph) -> Names:
    """The names of the graph, ready to be found."""
    exact: dict[str, list[int]] = {}
    alias: dict[str, list[int]] = {}
    starts: dict[str, list[str]] = {}
    for entity, name in enumerate(graph.names):
        written = plain(name)
        if not written:
            continue
        if written not in exact:
            starts.setdefault(written[:2], []).append(written)
        exact.setdefault(written, []).append(entity)
        short = plain(_BRACKETS.sub("", name))
        if short and short != written:
            alias.setdefault(short, []).append(entity)
    spoken = frozenset(t for name in graph.relations for t in tokens(phrase(name)))
    return Names(graph, exact, alias, starts, spoken)


def _spans(question: str) -> list[tuple[str, int, int]]:
    """(plain word, start, end) of each word of the question; "_" parts words as a blank does."""
    return [
        (plain(found.group()), found.start(), found.end()) for found in _WORD.finditer(question)
    ]
