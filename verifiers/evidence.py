"""The stretch of the passages that carries a claim best, and the facts a judge needs of it.

Windows of one or two neighbouring sentences are ranked by shared words, the best by cosine
too. Rules, not verdicts: numbers, names and negation are compared here; what they are worth
is decided in support.py and relevance.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.tokens import tokens
from models.premise import WORDS
from pilotfish.text import fold, is_cjk, negated, numbers, sentences
from pilotfish.types import Passage

Vectors = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
SHORTLIST = 14  # windows that are embedded
FULL = 3  # content words that a sentence needs to say something by itself
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b(?:[A-Z][\w'’-]+|[A-Z]{2,}[\w-]*)")
_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]+-\d[A-Za-z0-9-]*")  # TL-40: a name, no quantity
_WRONG = re.compile(  # it is wrong to say that ...
    r"\b(?:wrong|false|untrue|incorrect|mistaken)(?: to \w+)? that\b", re.IGNORECASE
)
_BULLET = re.compile(r"^[-*•] ")
_YES_NO = re.compile(r"(?:yes|no)\s*(?:[^\w\s]|$)", re.IGNORECASE)
_ASKS = frozenset(
    (
        "what which who whom whose when where why how do doe did is are was were can could much "
        "mani long far old often tell give name list state which ha have had there ani i we our "
        "my you me it"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Window:
    """One or two neighbouring sentences of a passage; offsets are the document's."""

    passage: Passage
    start: int
    end: int
    text: str
    overlap: float = 0.0
    cosine: float = 0.0


def windows(passage: Passage, widths: Sequence[int] = (1, 2)) -> Iterator[Window]:
    """Runs of that many neighbouring sentences of the passage; a table row is one window."""
    spans = [(0, len(passage.text))] if passage.kind == "table" else sentences(passage.text)
    for width in widths[:1] if passage.kind == "table" else widths:
        for first, last in zip(spans, spans[width - 1 :], strict=False):
            start, end = first[0], last[1]
            text = passage.text[start:end]
            yield Window(passage, passage.start + start, passage.start + end, text)


def ranked(claim: str, found: Sequence[Window], embed: Embed) -> list[Window]:
    """The shortlist of windows for a claim, best first, with overlap and cosine filled in."""
    wanted = content(claim)
    scored = [(overlap(wanted, window), window) for window in found]
    scored.sort(key=lambda pair: (-pair[0], len(pair[1].text)))
    short = scored[:SHORTLIST]
    if not short:
        return []
    cosines = [shared for shared, _ in short]
    if not is_cjk(claim):  # an English vocabulary knows too little of it: shared words must do
        vectors = embed([claim, *(in_context(window) for _, window in short)])
        cosines = (vectors[1:] @ vectors[0]).tolist()
    rated = [
        _rated(window, shared, float(cosine))
        for (shared, window), cosine in zip(short, cosines, strict=True)
    ]
    return sorted(rated, key=lambda w: (-(w.overlap + w.cosine), len(w.text)))


def in_context(window: Window) -> str:
    """The window after its title and headings: a bare sentence often says only "it".

    On development questions this picks the right sentence in 0.60 of the cases, bare 0.55.
    """
    context = " › ".join(headings(window.passage))
    return f"{context}: {window.text}" if context else window.text


def headings(passage: Passage) -> list[str]:
    """Title and headings: they say what a window is about, but no citation quotes them."""
    return list(dict.fromkeys(filter(None, [passage.title, *passage.place.heading])))


def around(window: Window, most: int = WORDS) -> Window:
    """The window with its neighbours, as many as fit into that many words: those before it first,
    since they say what "it" is.
    """
    passage, base = window.passage, window.passage.start
    spans = [(0, len(passage.text))] if passage.kind == "table" else sentences(passage.text)
    inside = [n for n, (start, end) in enumerate(spans)
              if base + end > window.start and base + start < window.end]  # fmt: skip
    if not inside:
        return window
    low, high = inside[0], inside[-1]
    while wider := [
        (first, last)
        for first, last in ((low - 1, high), (low, high + 1))
        if first >= 0
        and last < len(spans)
        and len(passage.text[spans[first][0] : spans[last][1]].split()) <= most
    ]:
        low, high = wider[0]
    start, end = spans[low][0], spans[high][1]
    return Window(passage, base + start, base + end, passage.text[start:end])


def _rated(window: Window, shared: float, cosine: float) -> Window:
    w = window
    return Window(w.passage, w.start, w.end, w.text, shared, cosine)


def content(text: str) -> list[str]:
    """Index tokens of a text without question words."""
    return [token for token in tokens(text) if token not in _ASKS]


def overlap(wanted: Sequence[str], window: Window) -> float:
    """Share of the wanted tokens in the window; those only in its title or headings count half."""
    if not wanted:
        return 0.0
    near = set(tokens(window.text))
    far = set(tokens(" ".join(headings(window.passage))))
    hits = sum(1.0 if token in near else 0.5 * (token in far) for token in wanted)
    return hits / len(wanted)


def missing_numbers(claim: str, evidence: str) -> int:
    """Numbers of the claim that the evidence does not have."""
    there = set(numbers(evidence))
    there |= {number.rstrip("%") for number in there}
    return sum(number not in there for number in set(numbers(claim)))


def unquoted_numbers(claim: str, window: Window) -> int:
    """Numbers of the claim that the window itself does not have.

    Title and headings are not quoted, and their numbers mostly count sections ("5. Warranty"):
    they give no number, but may give a name that holds one (TL-40).
    """
    names = {fold(name) for name in _CODE.findall(" ".join(headings(window.passage)))}
    rest = _CODE.sub(lambda name: "" if fold(name[0]) in names else name[0], claim)
    return missing_numbers(rest, window.text)


def word_for_word(claim: str, window: Window) -> bool:
    """Whether the claim is the window as a whole, or whole cells or sentences of a table row.

    Part of a sentence is not enough: "it is wrong to say that ..." holds the contrary of its
    words. Nor is a bare yes or a word or two, which say nothing without the question.
    """
    said, there = _bare(claim), _bare(window.text)
    if window.passage.kind != "table":
        return said == there and _is_full(said)
    whole = rf"(?:^|; |[.!?] |[。！？]){re.escape(said)}(?:$|; |[.!?](?:$| |;)|[。！？])"
    return bool(re.search(whole, there)) and (": " in said or _is_full(said))


def _is_full(said: str) -> bool:
    """Whether it says something without the question."""
    return len(content(said)) >= FULL and not _YES_NO.match(said)


def _bare(text: str) -> str:
    """One line without a list's bullet and the full stop."""
    return _BULLET.sub("", " ".join(text.split())).strip(" .。")


def missing_names(claim: str, evidence: str) -> float:
    """Share of the claim's capitalised words (not at a sentence's start) the evidence lacks."""
    names = {fold(name) for name in _NAME.findall(claim)}
    if not names:
        return 0.0
    there = fold(evidence)
    return sum(name not in there for name in names) / len(names)


def negation_differs(claim: str, evidence: str) -> bool:
    """Whether exactly one of the two is negated, or told to be wrong."""
    return _denies(claim) != _denies(evidence)


def _denies(text: str) -> bool:
    return negated(text) or bool(_WRONG.search(text))
