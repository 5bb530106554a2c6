"""Puts the evidence's own number, name, date or word in the place of a wrong one in a claim.

A value that the evidence lacks is replaced when exactly one value of its kind fits: the one that
stands where the wrong one does when both texts are laid over each other word by word, or else
the only one between the same neighbouring words. A claim that copies the evidence but for one
word (a negation put in or left out, an opposite) gets that word back. Not here: whether the
result is carried (rewrite.py asks the judge again).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from corpus.tokens import tokens
from pilotfish.text import fold, is_cjk, negated
from verifiers.draft import Change
from verifiers.values import Value, present, values

COPY = 0.75  # share of a claim's words that a copy has in common with its evidence, in order
LEAST_WORDS = 6
SHORTEST = 3  # letters of a word that may be a wrong one
REACH = 2  # neighbouring words on either side that say whether a value fits
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_JOIN = re.compile(r"\W*(?:\w+\W+)?(?:or|and|to|[-–—/])\W*", re.IGNORECASE)
_PLAIN = frozenset(
    (
        "a an the it its he she they this that these those his her their him them who which of "
        "in on at to by for with from as and or is are was were be been has have had also"
    ).split()
)
_ALIKE = {"month": "name"}  # in a copy, June may stand where a name should
_NOT = frozenset(
    "not no never nor without cannot n't don't doesn't didn't isn't aren't wasn't".split()
)


@dataclass(frozen=True, slots=True)
class Word:
    start: int
    end: int
    key: str


Block = tuple[str, int, int, int, int]  # as SequenceMatcher gives them


def mended(claim: str, evidence: str, context: str = "") -> list[Change]:
    """The changes that make the claim say what the evidence says; none where it is not plain.

    `context`: title and headings, which may hold a name or number that the evidence needs not.
    """
    if is_cjk(claim):
        return []
    blocks = _laid_over(claim, evidence)
    there = f"{context}\n{evidence}"
    wrong = [value for value in values(claim) if not present(value, there)]
    if len(wrong) > 2:
        return []
    changes = [_replaced(value, claim, evidence, blocks) for value in wrong]
    if wrong:
        return [change for change in changes if change] if all(changes) else []
    turned = _swapped(claim, evidence, blocks) or _turned(claim, evidence, blocks)
    return [turned] if turned else []


def _laid_over(claim: str, evidence: str) -> list[Block]:
    ours, theirs = ([w.key for w in _words(text)] for text in (claim, evidence))
    return list(SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes())


def _words(text: str) -> list[Word]:
    return [Word(m.start(), m.end(), fold(m[0])) for m in _WORD.finditer(text)]


def _replaced(wrong: Value, claim: str, evidence: str, blocks: Sequence[Block]) -> Change | None:
    said = {value.key for value in values(claim)}
    free = [v for v in values(evidence) if v.kind == wrong.kind and v.key not in said]
    fits = _opposite(wrong, claim, evidence, blocks, free)
    if wrong.kind == "name":  # beside the same words stand too many names
        fits = [v for v in fits if _copies(claim, blocks) and not _kin(wrong, v)]
    else:
        fits = fits or _between(wrong, claim, evidence, free)
    if len({value.key for value in fits}) != 1 or _joined(fits[0], free, evidence):
        return None
    return Change(wrong.called, wrong.start, wrong.end, wrong.text, fits[0].text)


def _kin(one: Value, other: Value) -> bool:
    """Whether two names may be one: they share a word, are spelt alike, or one is initials."""
    if present(one, other.text) or present(other, one.text):
        return True
    ours, theirs = (set(re.findall(r"\w{3,}", value.key)) for value in (one, other))
    if ours & theirs:
        return True
    initials = ("".join(re.findall(r"\b\w", value.key)) for value in (one, other))
    spelt = SequenceMatcher(None, one.key, other.key, autojunk=False).ratio()
    return spelt > 0.6 or any(
        len(a) > 2 and a in b for a, b in zip(initials, (other.key, one.key), strict=True)
    )


def _joined(value: Value, free: Sequence[Value], evidence: str) -> bool:
    """Whether another value is joined to it ("3 kg or 4 kg"): then it may be either."""
    gaps = (
        evidence[min(value.end, one.end) : max(value.start, one.start)]
        for one in free
        if one.key != value.key
    )
    return any(_JOIN.fullmatch(gap) for gap in gaps)


def _opposite(
    wrong: Value, claim: str, evidence: str, blocks: Sequence[Block], free: Sequence[Value]
) -> list[Value]:
    """The values that stand in the stretch of the evidence opposite to the wrong one."""
    ours, theirs = _words(claim), _words(evidence)
    for kind, first, last, begin, stop in blocks:
        inside = first < last and ours[first].start <= wrong.start < ours[last - 1].end
        if kind == "replace" and inside:
            low, high = theirs[begin].start, theirs[stop - 1].end
            return [v for v in free if v.start < high and low < v.end]
    return []


def _between(wrong: Value, claim: str, evidence: str, free: Sequence[Value]) -> list[Value]:
    """The values with most of the same words beside them, one at least."""
    ours = _beside(claim, wrong)
    scored = [(len(ours & _beside(evidence, value)), value) for value in free]
    best = max((score for score, _ in scored), default=0)
    if best < 1:
        return []
    return [value for score, value in scored if score == best]


def _swapped(claim: str, evidence: str, blocks: Sequence[Block]) -> Change | None:
    """In a near copy, a value of the claim that stands where the evidence has another.

    It may stand elsewhere in the evidence or its title: names are often taken for each other.
    """
    if not _copies(claim, blocks):
        return None
    free = [v for v in values(evidence) if not present(v, claim)]
    found: list[Change] = []
    for value in values(claim):
        kin = [v for v in free if _ALIKE.get(v.kind, v.kind) == _ALIKE.get(value.kind, value.kind)]
        fits = _opposite(value, claim, evidence, blocks, kin)
        if len(fits) == 1 and not _kin(value, fits[0]):
            found.append(Change(value.called, value.start, value.end, value.text, fits[0].text))
    return found[0] if len(found) == 1 else None


def _copies(claim: str, blocks: Sequence[Block]) -> bool:
    """Whether the claim has most of its words in the order of the evidence."""
    same = sum(last - first for kind, first, last, _, _ in blocks if kind == "equal")
    size = len(_words(claim))
    return size >= LEAST_WORDS and same >= COPY * size


def _beside(text: str, value: Value) -> set[tuple[str, str]]:
    """("left" or "right", stem) of the nearest content words."""
    left = [t for t in tokens(text[: value.start]) if t not in _PLAIN][-REACH:]
    right = [t for t in tokens(text[value.end :]) if t not in _PLAIN][:REACH]
    return {("left", one) for one in left} | {("right", one) for one in right}


def _turned(claim: str, evidence: str, blocks: Sequence[Block]) -> Change | None:
    """The one stretch of few words in which a near copy differs, as the evidence has it."""
    ours, theirs = _words(claim), _words(evidence)
    if not _copies(claim, blocks):
        return None
    inner = [b for b in blocks if b[0] != "equal" and b[1] > 0 and b[2] < len(ours) + 1]
    odd = [b for b in inner if _differs(b, ours, theirs)]
    if len(odd) != 1:
        return None
    return _as_evidence(odd[0], claim, evidence)


def _differs(block: Block, ours: Sequence[Word], theirs: Sequence[Word]) -> bool:
    """Whether the block says something else: a few words for a few, or a negation more or less.

    Words that the evidence has and the claim leaves out are no difference.
    """
    kind, first, last, begin, stop = block
    mine = [word.key for word in ours[first:last]]
    its = [word.key for word in theirs[begin:stop]]
    if (set(mine) & _NOT) or (len(its) <= 2 and set(its) & _NOT):
        return True
    if kind != "replace" or set(mine) <= _PLAIN or set(its) <= _PLAIN:
        return False
    if any(len(word) < SHORTEST for word in (*mine, *its)):
        return False  # units and the like
    return [tokens(word) for word in mine] != [tokens(word) for word in its]


def _as_evidence(block: Block, claim: str, evidence: str) -> Change | None:
    """The block as the evidence words it; None where it is more than a word and its negation."""
    ours, theirs = _words(claim), _words(evidence)
    _, first, last, begin, stop = block
    mine, its = ours[first:last], theirs[begin:stop]
    denial = bool({w.key for w in (*mine, *its)} & _NOT)
    if max(len(mine), len(its)) > (3 if denial else 1):
        return None
    start = mine[0].start if mine else ours[first - 1].end
    end = mine[-1].end if mine else start
    new = evidence[its[0].start : its[-1].end] if its else ""
    if any(word[:1].isupper() or re.search(r"\d", word) for word in (claim[start:end], new)):
        return None  # values are another rule's
    if not mine:
        new = " " + new
    elif not its:  # the space before goes with the word
        start = ours[first - 1].end
    named = "negation" if denial or negated(claim[start:end]) != negated(new) else "word"
    return Change(named, start, end, claim[start:end], new)
