"""Sentences of a document that give orders to whoever reads it: indirect prompt injection.

After BIPIA (arXiv 2312.14197): an attack is a request that stands inside retrieved text. A linear
model looks at a sentence's opening, its address ("your response"), its shape, and at how little
of it the rest of the document speaks of. Not here: what is done about it (quarantine.py); it is a
sieve, not a wall: the prompt says that passages are data (prompters/render.py).
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus.hashed import Hashed, load
from pilotfish.text import fold, sentences, trim

CARD = Path(__file__).with_name("orders.json")
LONGEST = 60  # words of a sentence that are looked at
OPENING = 4
_BREAK = re.compile(r"\n+(?=\s*[^\sa-z])|\n\s*\n")
_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W_]+)?|\d+|[?!|`@#$%&=<>{}\[\]:]")
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_ANSWER = re.compile(
    r"\b(?:answer|response|reply|output|message|repl(?:y|ies)|summary|solution|implementation|code"
    r"|instructions?|prompt|assistant|system|user)s?\b"
)
_ASKS = re.compile(
    r"(?:what|who|whom|whose|which|where|when|why|how|is|are|was|were|do|does|did|can|could|would|"
    r"will|should|has|have)\b"
)
_COMMON = frozenset(
    (
        "the and for with that this you your are was were has have had not but from they will can "
        "what who which where when why how does did its all any our into out use one two how"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Order:
    """text[start:end] is an order with probability `score`."""

    start: int
    end: int
    score: float


def pieces(text: str) -> list[tuple[int, int]]:
    """Sentences, cut also where a new line starts with anything but a small letter."""
    found: list[tuple[int, int]] = []
    for start, end in sentences(text):
        at = start
        for match in _BREAK.finditer(text, start, end):
            found.append((at, match.start()))
            at = match.end()
        found.append((at, end))
    return [span for span in (trim(text, *one) for one in found) if span[0] < span[1]]


class Around:
    """What a document speaks of: how often each stem stands in it."""

    def __init__(self, text: str) -> None:
        self._seen = Counter(stems(text))

    def foreign(self, piece: str) -> float:
        """Share of the piece's stems that stand nowhere else in the document; -1 without any."""
        mine = Counter(stems(piece))
        if not mine:
            return -1.0
        return sum(self._seen[stem] <= count for stem, count in mine.items()) / len(mine)


def stems(text: str) -> list[str]:
    """Folded words of three letters or more, cut to five, without the commonest."""
    return [word[:5] for word in _LETTERS.findall(fold(text)) if word not in _COMMON]


def features(piece: str, foreign: float) -> Iterator[str]:
    """Names of what is seen in one sentence; `foreign` as Around gives it."""
    words = _TOKEN.findall(fold(piece))[:LONGEST]
    if not words:
        return
    opening = words[:OPENING]
    far = f"far{min(4, int(foreign * 4)) if foreign >= 0 else 'none'}"
    kind = _kind(piece, words)
    yield from ("bias", far, kind, f"{kind} {far}", f"length {min(8, len(words) // 4)}")
    yield from (f"opens {place} {word}" for place, word in enumerate(opening))
    yield from (f"opens {' '.join(opening[:size])}" for size in (2, 3))
    yield from (f"has {word}" for word in words)
    yield from (f"pair {one} {other}" for one, other in itertools.pairwise(words))
    yield f"ends {words[-1] if words[-1] in '?!:`|' else 'so'} {kind}"
    yield from _told(piece)


def _kind(piece: str, words: list[str]) -> str:
    if "|" in words or piece.count(";") > 2:
        return "row"
    asks = bool(_ASKS.match(words[0])) or "?" in words
    return "asks" if asks else ("small" if piece[0].islower() else "says")


def _told(piece: str) -> Iterator[str]:
    folded = fold(piece)
    if re.search(r"\b(?:your|you)\b", folded):
        yield "you"
        if _ANSWER.search(folded):
            yield "your answer"
    elif _ANSWER.search(folded):
        yield "answer"
    if re.search(r"https?://|www\.|\b[\w-]+\.(?:com|org|net|xyz|io)\b|@\w", folded):
        yield "link"


@functools.cache
def packaged() -> Hashed:
    """The model that comes with the package."""
    return load(CARD)


def orders(text: str, model: Hashed | None = None, threshold: float | None = None) -> list[Order]:
    """Sentences of the document whose score reaches the threshold (None: the card's).

    A question orders nothing: letters and tickets are full of them ("May we use them?"), the model
    has seen them among the attacks, and the prompt tells documents' words from the asker's.
    """
    judge = model or packaged()
    least = judge.threshold if threshold is None else threshold
    found = (order for order in scored(text, judge) if order.score >= least)
    return [order for order in found if text[order.start : order.end].rstrip()[-1:] not in "?？"]


def scored(text: str, model: Hashed) -> Iterable[Order]:
    """Every sentence of the document with its score."""
    around = Around(text)
    for start, end in pieces(text):
        piece = text[start:end]
        yield Order(start, end, model(features(piece, around.foreign(piece))))
