"""Points at spans of a question: the inner thing of a bridge, the two things that are compared.

Every span of words is a candidate; a softmax over plain features of its edges and its inside picks
one (after DecompRC, arXiv 1906.02916, whose pointer is a BERT). Not here: what is written with the
spans (forms.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prompters.decomposition.linear import Scorer, softmax
from prompters.decomposition.words import NAME, Word, shapes, split

LONGEST = 24  # words of a span
INNER, ONE, OTHER = "inner", "one", "other"  # roles
_TELLING = frozenset({"when", "where", "why"})  # question words that ask for much by themselves
_OPEN, _CLOSE = "([{", ")]}"
_TITLES = frozenset("film films song songs album book novel band company".split())


@dataclass(frozen=True, slots=True)
class Pointed:
    """A span [start, end) of the question's characters, and P(it is the one)."""

    text: str
    start: int
    end: int
    sure: float = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question laid out for pointing."""

    text: str
    words: Sequence[Word]
    shapes: Sequence[str]

    @classmethod
    def of(cls, question: str) -> Asked:
        words = split(question)
        return cls(question, words, shapes(words))

    def pointed(self, span: tuple[int, int], sure: float = 1.0) -> Pointed:
        start, end = self.words[span[0]].start, self.words[span[1] - 1].end
        return Pointed(self.text[start:end], start, end, sure)


def candidates(asked: Asked) -> Iterator[tuple[int, int]]:
    """Spans [first, last) of words that begin and end with a word and close their brackets."""
    count = len(asked.words)
    for first in range(count):
        if asked.words[first].text in ",.?!:;)'’" or asked.words[first].lower == "s":
            continue
        depth = 0
        for last in range(first, min(count, first + LONGEST)):
            text = asked.words[last].text
            depth += (text in _OPEN) - (text in _CLOSE)
            if depth < 0:
                break
            if depth == 0 and not _hangs(asked.words, last) and (last + 1 < count or first > 0):
                yield first, last + 1


def _hangs(words: Sequence[Word], last: int) -> bool:
    """Whether a span that ends here ends at a mark, or at the s of a possessive."""
    text = words[last].text
    return text in ",?:;'’" or (text == "s" and last > 0 and words[last - 1].text in "'’")


def features(asked: Asked, span: tuple[int, int]) -> dict[str, float]:
    """What a span looks like: its neighbours, its ends, its shape, what it leaves outside."""
    first, last = span
    words, kinds = asked.words, asked.shapes
    before = _at(words, first - 1)
    after = _at(words, last)
    inside = kinds[first:last]
    names_out = sum(kind == NAME for kind in (*kinds[1:first], *kinds[last:]))
    found = {
        f"b {before}": 1.0,
        f"bb {_at(words, first - 2)} {before}": 1.0,
        f"a {after}": 1.0,
        f"aa {after} {_at(words, last + 1)}": 1.0,
        f"f {_near(words, kinds, first)}": 1.0,
        f"l {_near(words, kinds, last - 1)}": 1.0,
        f"bf {before} {_near(words, kinds, first)}": 1.0,
        f"la {_near(words, kinds, last - 1)} {after}": 1.0,
        f"shape {_pressed(inside)}": 1.0,
        f"outside {min(3, names_out)}": 1.0,
        f"names {min(4, inside.count(NAME))}": 1.0,
        "cut": float(_is_name(kinds, first - 1) and _is_name(kinds, first))
        + float(_is_name(kinds, last - 1) and _is_name(kinds, last)),
        "words": (last - first) / 10,
    }
    for mark in (",", "or", "and", "of", "'"):
        found[f"has {mark}"] = float(mark in inside)
    return found


def _at(words: Sequence[Word], place: int) -> str:
    """The word there when it says how the question is built; ends are marks."""
    if place < 0:
        return "<"
    if place >= len(words):
        return ">"
    word = words[place]
    return NAME if word.text[0].isupper() and place > 0 else word.lower


def _near(words: Sequence[Word], kinds: Sequence[str], place: int) -> str:
    word = words[place].lower
    return word if word in _TITLES else kinds[place]


def _is_name(kinds: Sequence[str], place: int) -> bool:
    return 0 <= place < len(kinds) and kinds[place] == NAME


def _pressed(kinds: Sequence[str]) -> str:
    """Runs of one shape as one, the first few."""
    pressed = [kind for n, kind in enumerate(kinds) if n == 0 or kinds[n - 1] != kind]
    return " ".join(pressed[:6])


def asks_more(asked: Asked, span: tuple[int, int]) -> bool:
    """Whether something is asked outside of the span: a word that is no function word."""
    outside = (*asked.shapes[1 : span[0]], *asked.shapes[span[1] :])
    return any(kind in {"x", NAME} for kind in outside) or asked.words[0].lower in _TELLING


def point(asked: Asked, scorer: Scorer) -> Pointed | None:
    """The likeliest span of one role that leaves something to ask."""
    spans = [span for span in candidates(asked) if asks_more(asked, span)]
    if not spans:
        return None
    chances = softmax([scorer(features(asked, span)) for span in spans])
    best = max(range(len(spans)), key=chances.__getitem__)
    return asked.pointed(spans[best], chances[best])


def point_two(asked: Asked, scorers: Mapping[str, Scorer]) -> tuple[Pointed, Pointed] | None:
    """The likeliest two spans, one behind the other."""
    spans = list(candidates(asked))
    if len(spans) < 2:
        return None
    seen = [features(asked, span) for span in spans]
    ones = softmax([scorers[ONE](one) for one in seen])
    others = softmax([scorers[OTHER](one) for one in seen])
    firsts = sorted(range(len(spans)), key=lambda n: -ones[n])[:30]
    seconds = sorted(range(len(spans)), key=lambda n: -others[n])[:30]
    pairs = [(ones[a] * others[b], a, b) for a in firsts for b in seconds
             if spans[a][1] < spans[b][0]]  # fmt: skip
    if not pairs:
        return None
    _, a, b = max(pairs)
    return asked.pointed(spans[a], ones[a]), asked.pointed(spans[b], others[b])
