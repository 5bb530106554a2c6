"""A question as words with offsets and shapes: what the small models of decomposition see.

Shapes hide names, so that what is learned is how questions are built and not whom they are about.
Not here: any weight (linear.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pilotfish.text import sentences
from prompters.decomposition.kin import relative

_WORD = re.compile(r"\d[\d,.]*\d|\w+(?:[-.&/]\w+)*|[^\w\s]")
_FUNCTION = frozenset(
    (
        "a an the of in on at by for from to with and or both than as is are was were be do does "
        "did has have had who whose whom what which when where why how that this there same share "
        "not more less most least first last later earlier older younger other each s"
    ).split()
)
_KIN = (
    r"father|mother|spouse|husband|wife|son|daughter|child|children|sibling|brother|sister|"
    r"parent|grand\w+|stepfather|stepmother"
)
_ROLES = rf"{_KIN}|\w{{3,}}(?:ector|oser|ormer|inger|riter|ucer|ator|under|igner|itor)|author|ceo"
_ROLE = re.compile(rf"(?:{_ROLES})s?")
_DESCRIBED = re.compile(  # somebody who is told by what he is to another, and then asked about
    rf"(?<!who is )(?<!who was )(?<!who are )(?<!name )\bthe (?:\w+ )?(?:{_ROLES})s? of\b|"
    rf"^(?!who\b).*['’]s? (?:{_ROLES})\b",
    re.IGNORECASE,
)
NAME = "E"  # stands for a run of names


@dataclass(frozen=True, slots=True)
class Word:
    """One word or mark at [start, end) of the question."""

    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        return self.text.lower()

    @property
    def is_mark(self) -> bool:
        return not self.text[0].isalnum()


def split(question: str) -> list[Word]:
    """Words and marks; a possessive is a word of its own."""
    return [Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(question)]


def shapes(words: Sequence[Word]) -> list[str]:
    """One a word: a mark as it is, N for numbers, E for names, function words, else x.

    The first word counts as a name only where it is no function word.
    """
    return [_shape(word) for word in words]


def _shape(word: Word) -> str:
    if word.is_mark:
        return "'" if word.text in "'’" else word.text
    if word.text[0].isdigit():
        return "N"
    if word.lower in _FUNCTION and (word.start == 0 or word.text.islower()):
        return word.lower
    return NAME if word.text[0].isupper() else "x"


def masked(words: Sequence[Word]) -> list[str]:
    """Lower-case words with each run of names as one E, of numbers as N."""
    found: list[str] = []
    for word, shape in zip(words, shapes(words), strict=True):
        kept = shape if shape in {NAME, "N"} else word.lower
        if kept == NAME and found and found[-1] == NAME:
            continue
        found.append(kept)
    return found


def features(question: str) -> dict[str, float]:
    """Words, pairs of words and shape of a whole question: what forms are told by."""
    words = split(question)
    seen = ["<", *masked(words), ">"]
    found = {f"w {word}": 1.0 for word in seen}
    found |= {f"p {a} {b}": 1.0 for a, b in pairwise(seen)}
    found |= {f"t {a} {b} {c}": 0.5 for a, b, c in zip(seen, seen[1:], seen[2:], strict=False)}
    found |= {f"s {name}": value for name, value in counts(question, words)}
    return found


def counts(question: str, words: Sequence[Word]) -> Iterator[tuple[str, float]]:
    """Sizes of a question, each scaled to about 1."""
    kinds = shapes(words)
    yield "one", 1.0
    yield "words", min(60, len(words)) / 20
    yield "sentences", min(8, len(sentences(question))) / 3
    yield "numbers", min(8, kinds.count("N")) / 3
    yield "names", min(10, kinds.count(NAME)) / 5
    yield "possessive", float("'" in kinds)
    yield "relative", float(relative(question) is not None)
    roles = sum(bool(_ROLE.fullmatch(word.text)) for word in words)
    yield from ((f"roles {count}", float(roles >= count)) for count in (1, 2))
    yield "described", float(bool(_DESCRIBED.search(question)))


def bare(text: str) -> list[str]:
    """Lower-case words without marks: what texts are compared by."""
    return [word.lower for word in split(text) if not word.is_mark]
