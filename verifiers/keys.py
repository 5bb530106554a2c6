"""Citation keys inside an answer as the LLM wrote it: which sentence named which passages.

Not here: whether the named passage carries the sentence (support.py, cite.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pilotfish.text import sentences

_KEYS = re.compile(r"\s*\[(/?k[a-z2-7]{3,52}(?:\s*[,;]\s*/?k[a-z2-7]{3,52})*)\]")


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the clean answer, and the passages its keys name."""

    start: int
    end: int
    text: str
    named: tuple[int, ...] = ()


def clean(text: str, keys: Mapping[str, int]) -> tuple[str, list[Claim]]:
    """The answer without citation keys, and its sentences with the passages they named.

    Keys that the prompt did not hold are dropped: a model made them up.
    """
    pieces: list[str] = []
    marks: list[tuple[int, int]] = []  # (offset in the clean text, passage id)
    at = length = 0
    for match in _KEYS.finditer(text):
        pieces.append(text[at : match.start()])
        length += match.start() - at
        for key in re.split(r"\s*[,;]\s*", match.group(1)):
            if key in keys:
                marks.append((length, keys[key]))
        at = match.end()
    plain = "".join([*pieces, text[at:]])
    return plain, _claims(plain, marks)


def _claims(plain: str, marks: list[tuple[int, int]]) -> list[Claim]:
    """A key belongs to the sentence that ends last before it, or the one it stands in."""
    spans = sentences(plain)
    named: list[list[int]] = [[] for _ in spans]
    for offset, passage in marks:
        holders = [i for i, (start, _) in enumerate(spans) if start < max(1, offset)]
        if holders and passage not in named[holders[-1]]:
            named[holders[-1]].append(passage)
    return [
        Claim(start, end, plain[start:end], tuple(ids))
        for (start, end), ids in zip(spans, named, strict=True)
    ]
