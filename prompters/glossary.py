"""A glossary read out of passages: abbreviations and definitions, each with its place.

`Long Form (LF)` by Schwartz and Hearst (abbreviations.py), and a definition's first sentence, as in
"A spindle is the ...", "Spindle: the ...". What passages say is read when it is asked for, so that
it goes when they go. Not here: what a prompt makes of it (adapt.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corpus.tokens import tokens
from pilotfish.text import sentences
from pilotfish.types import Passage
from prompters.abbreviations import pairs

LONGEST = 240  # characters of a definition
_TERM = r"(?P<term>[\w'’-]+(?:\s+[\w'’-]+){0,3}?)"
_IS = re.compile(
    rf"^(?:An?\s+|The\s+)?{_TERM}\s+(?:is|are|means|refers\s+to|stands\s+for)\s+(?P<meaning>(?:an?|the)\s+.+)$"
)
_COLON = re.compile(rf"^[-*•]?\s*\**{_TERM}\**\s*(?::|\s[–—]\s)\s*(?P<meaning>[a-z].+)$")
_NO_TERMS = frozenset(
    "it this that these those there here he she they we you what who which where when how why e.g"
    " i.e one two three first second last another other some many most all each both such".split()
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A term and what it means, as the document says it at [start, end)."""

    term: str
    meaning: str
    document: str
    start: int
    end: int
    passage: int


def entries(passages: Iterable[Passage]) -> list[Entry]:
    """Every entry, the first of each term and meaning, in order."""
    found: dict[tuple[str, str], Entry] = {}
    for passage in passages:
        if passage.kind == "text":
            for one in _of(passage):
                found.setdefault((one.term.casefold(), one.meaning.casefold()), one)
    return list(found.values())


def _of(passage: Passage) -> Iterable[Entry]:
    for start, end in sentences(passage.text):
        sentence = passage.text[start:end]
        place = (passage.document, passage.start + start, passage.start + end)
        for short, long in pairs(sentence):
            yield Entry(short, long, *place, passage.id)
        defined = _IS.match(sentence.strip()) or _COLON.match(sentence.strip())
        if defined is None or len(sentence) > LONGEST:
            continue
        term = " ".join(defined["term"].split())
        if term.split()[0].casefold() not in _NO_TERMS:
            yield Entry(term, defined["meaning"].strip().rstrip("."), *place, passage.id)


def named(question: str, glossary: Sequence[Entry]) -> list[Entry]:
    """The entries whose whole term the question names, the longest terms first."""
    asked = tokens(question)
    found = [one for one in glossary if _within(tokens(one.term), asked)]
    return sorted(found, key=lambda one: -len(one.term))


def _within(term: Sequence[str], asked: Sequence[str]) -> bool:
    size = len(term)
    return size > 0 and any(
        list(asked[at : at + size]) == list(term) for at in range(len(asked) - size + 1)
    )
