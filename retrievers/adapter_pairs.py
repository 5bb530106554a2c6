"""Pairs of question and passage that a collection gives by itself, without an LLM and labels.

The title and headings above a passage ask for it; so does a sentence taken out of it (inverse cloze
task, arXiv 1906.00300). What asks is then no longer in the passage: its vector is made anew without
it. Not here: fitting (adapter_fit.py), storing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.text import sentences, words
from pilotfish.types import Passage

LEAST = 4  # words of a question
REST = 20  # words that must be left of the passage


@dataclass(frozen=True, slots=True)
class Made:
    """`rest`: what is left of the passage, to be encoded in its place; empty: it stays as it is."""

    question: str
    passage: int
    document: str
    rest: str = ""


def made(found: Sequence[Passage], seed: int = 0) -> list[Made]:
    """At most one pair a passage: by its headings every other time, where it has its own."""
    draw = random.Random(seed)
    own = _own_headings(found)
    pairs = []
    for at, passage in enumerate(found):
        above = own.get(passage.id)
        if above and at % 2 == 0:
            pairs.append(Made(above, passage.id, passage.document, passage.text))
        elif taken := _cloze(passage, draw):
            pairs.append(taken)
    return pairs


def _own_headings(found: Sequence[Passage]) -> dict[int, str]:
    """Title and last heading of each passage, where no other passage stands under the same."""
    above = {one.id: _above(one) for one in found}
    counts: dict[str, int] = {}
    for text in above.values():
        counts[text] = counts.get(text, 0) + 1
    return {i: text for i, text in above.items()
            if counts[text] == 1 and len(words(text)) >= LEAST}  # fmt: skip


def _above(passage: Passage) -> str:
    headings = [text for text in (passage.title, *passage.place.heading[-1:]) if text]
    return ": ".join(dict.fromkeys(headings))


def _cloze(passage: Passage, draw: random.Random) -> Made | None:
    """One of its sentences, and the passage without it; None where too little is left."""
    text = passage.text
    fit = [(a, b) for a, b in sentences(text) if len(words(text[a:b])) >= LEAST]
    if len(fit) < 2:
        return None
    start, end = draw.choice(fit)
    rest = f"{text[:start].rstrip()} {text[end:].lstrip()}".strip()
    if len(words(rest)) < REST:
        return None
    return Made(text[start:end], passage.id, passage.document, rest)
