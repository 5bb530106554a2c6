"""Passages that a question names by their title go first: who is asked about has a passage.

A retriever of words and vectors ranks "Lola (1981 film)" behind whatever says film and director
more often. Titles are compared as words; of two that overlap in the question the longer one counts,
and a part in brackets tells namesakes apart. Not here: retrieval, which is run as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pilotfish.step import Step, run
from pilotfish.text import fold
from pilotfish.types import Case, Passage

_WORD = re.compile(r"[^\W_]+")
_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
BASE = 0.75  # worth of a title whose part in brackets the question does not say
OTHER = 0.5  # and of one whose namesake the question does tell by brackets
COMMON = frozenset(
    "film song album book novel director music list history the a an it she he you who what".split()
)


@dataclass(frozen=True, slots=True)
class Titled:
    """Runs `retrieve` deep and keeps k: first what is named, then the rest in its order."""

    retrieve: Step
    k: int = 10
    name: str = "titled"

    def __call__(self, case: Case, /) -> Case:
        done = run(self.retrieve, case)
        ranked = named_first(case.question.text, done.passages)
        moved = [p.title for p in ranked[: self.k] if match(case.question.text, p.title)]
        scored = tuple(replace(p, score=1.0 / (60 + n)) for n, p in enumerate(ranked[: self.k], 1))
        return replace(done, passages=scored, notes={"named": list(dict.fromkeys(moved))})


@dataclass(frozen=True, slots=True)
class Match:
    """Where a title stands in a text, in words [start, end), and how well it fits."""

    start: int
    end: int
    worth: float


def named_first(text: str, passages: Sequence[Passage]) -> list[Passage]:
    """Passages of named titles, best match first; then the others in their order."""
    found = {p.title: match(text, p.title) for p in passages}
    best = _outermost([one for one in found.values() if one])
    ranks = {one: n for n, one in enumerate(best)}

    def key(place: int) -> tuple[int, int]:
        own = found[passages[place].title]
        return (ranks[own] if own in ranks else len(best), place)

    return [passages[n] for n in sorted(range(len(passages)), key=key)]


def match(text: str, title: str) -> Match | None:
    """Where the text names the title; None where it does not, or the title is but a common word."""
    words, full = _words(text), _words(title)
    base = _words(_BRACKETS.sub("", title))
    if not base or set(base) <= COMMON:
        return None
    if len(base) < len(full) and (at := _find(words, full)) is not None:
        return Match(at, at + len(full), len(full))
    at = _find(words, base)
    if at is None or (len(base) == 1 and not _is_name(text, at)):
        return None
    end = at + len(base)
    told = _bracketed(text, end)
    worth = 1.0 if len(base) == len(full) and not told else OTHER if told else BASE
    return Match(at, end, len(base) * worth)


def _outermost(found: Sequence[Match]) -> list[Match]:
    """Matches by worth, without those that lie inside a longer one."""
    kept = [one for one in dict.fromkeys(found) if not any(
        other.start <= one.start and one.end <= other.end and other.end - other.start
        > one.end - one.start for other in found
    )]  # fmt: skip
    return sorted(kept, key=lambda one: (-one.worth, one.start))


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(fold(text)))


def _find(words: Sequence[str], wanted: Sequence[str]) -> int | None:
    size = len(wanted)
    return next((n for n in range(len(words) - size + 1) if words[n : n + size] == wanted), None)


def _is_name(text: str, at: int) -> bool:
    """Whether the word of that number is written as a name, or the text knows no capitals."""
    spelt = _WORD.findall(text)
    return at < len(spelt) and (not spelt[at][0].islower() or text.islower())


def _bracketed(text: str, end: int) -> bool:
    """Whether brackets follow the first `end` words of the text."""
    spelt = list(_WORD.finditer(text))
    return end > 0 and len(spelt) >= end and text[spelt[end - 1].end() :].lstrip()[:1] == "("
