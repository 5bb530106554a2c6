"""Citation keys inside an answer as the LLM wrote it: which sentence named which passages.

Not here: whether the named passage carries the sentence (support.py, cite.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pilotfish.text import MARK, sentences, words
from pilotfish.types import Case, Passage

_BRACKETS = re.compile(r"\s*\[(/?k[a-z2-7]{3,52}(?:\s*[,;]\s*/?k[a-z2-7]{3,52})*)\]")
_ITEM = re.compile(r"\(?\d{1,3}[.)]")
LISTED = re.compile(r"(?:[-*•]|\(?\d{1,3}[.)])\s+(?=\S)")
_KEY = re.compile(r"k[a-z2-7]{4}")  # as prompters/render.py makes them


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the clean answer, and the passages its keys name."""

    start: int
    end: int
    text: str
    named: tuple[int, ...] = ()


def clean(text: str, case: Case) -> tuple[str, list[Claim]]:
    """The answer without citation keys, and its sentences with the passages they named.

    Keys that the prompt did not hold are dropped too: a model made them up. The documents' own
    brackets, such as [kernel], stay, and an answer that is a stretch of a passage stays whole.
    A mark between words (prompters/render.py) that was copied along is a blank again.
    """
    text = text.replace(MARK, " ")
    if is_copied(text, case.passages):
        return text, claims_of(text, [])
    keys = case.prompt.keys if case.prompt else {}
    written = _bracketed(passage.text for passage in case.passages)
    pieces: list[str] = []
    marks: list[tuple[int, int]] = []  # (offset in the clean text, passage id)
    at = length = 0
    for match in _BRACKETS.finditer(text):
        pieces.append(text[at : match.start()])
        length += len(pieces[-1])
        inside = _names(match[1])
        marks += [(length, keys[name]) for name in inside if name in keys]
        pieces.append(_kept(match, [n for n in inside if not _is_key(n, keys, written)]))
        length += len(pieces[-1])
        at = match.end()
    plain = "".join([*pieces, text[at:]])
    return plain, claims_of(plain, marks)


def is_copied(text: str, passages: Iterable[Passage]) -> bool:
    """Whether the text is a stretch of a passage, word for word."""
    said = " ".join(text.split())
    return any(said in " ".join(passage.text.split()) for passage in passages)


def _bracketed(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for found in _BRACKETS.findall(text) for name in _names(found)}


def _names(inside: str) -> list[str]:
    return re.split(r"\s*[,;]\s*", inside)


def _is_key(name: str, keys: Mapping[str, int], written: set[str]) -> bool:
    """One of the prompt's keys, or one made up: of their shape, and in no document."""
    bare = name.removeprefix("/")
    return bare in keys or (bool(_KEY.fullmatch(bare)) and name not in written)


def _kept(match: re.Match[str], others: list[str]) -> str:
    """What stays of a bracket: all of it when none of its words is a key."""
    if len(others) == len(_names(match[1])):
        return match[0]
    return f" [{', '.join(others)}]" if others else ""


def _unlisted(plain: str, start: int, end: int) -> tuple[int, int]:
    """The sentence without the bullet or number of a list before it."""
    listed = LISTED.match(plain, start, end)
    return (listed.end(), end) if listed and listed.end() < end else (start, end)


def _lists(plain: str, start: int, end: int) -> bool:
    """Whether the stretch is the number of a list's item, cut off at its full stop."""
    opens = not plain[:start].rpartition("\n")[2].strip()
    follows = plain[end:].partition("\n")[0].strip()
    return opens and bool(follows) and _ITEM.fullmatch(plain, start, end) is not None


def claims_of(plain: str, marks: list[tuple[int, int]]) -> list[Claim]:
    """A key belongs to the sentence that ends last before it, or the one it stands in.

    A stretch without any word, such as "...", claims nothing, nor does the mark of a list: the
    number of "2. Press the button" is in no document.
    """
    found = (_unlisted(plain, *span) for span in sentences(plain))
    spans = [(a, b) for a, b in found if words(plain[a:b]) and not _lists(plain, a, b)]
    named: list[list[int]] = [[] for _ in spans]
    for offset, passage in marks:
        holders = [i for i, (start, _) in enumerate(spans) if start < max(1, offset)]
        if holders and passage not in named[holders[-1]]:
            named[holders[-1]].append(passage)
    return [
        Claim(start, end, plain[start:end], tuple(ids))
        for (start, end), ids in zip(spans, named, strict=True)
    ]
