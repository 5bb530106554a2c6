"""Lays out the passages of a prompt: near-duplicates once, the token budget over what is left.

A passage most of whose runs of words stand in an earlier one, with every figure and name that it
has, says nothing new: the first stays, so that the budget holds something else. Demonstrations get
a share of the budget, the passages the rest. Token dropping is here as the baseline that LLMLingua
(arXiv 2310.05736) is an instance of: the words that tell least are dropped one by one. Without a
language model a word tells as much as it is rare, and what is left is no slice of a document, so
that it cannot be cited: measured, not used. Not here: dropping sentences (retrievers/prune.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from corpus.tokens import tokens
from pilotfish.types import Passage

SAME = 0.8  # share of a passage's runs of words that an earlier one has
RUN = 4  # words
DEMOS = 0.25  # of the budget at most goes to demonstrations
Count = Callable[[Sequence[str]], list[int]]
_WORD = re.compile(r"\S+")
# What turns a sentence into another one: figures, names, negations.
_TELLING = re.compile(r"\w*\d[\w.,]*|\b[^\W\d_a-z]\w*|\b(?:no|not|never|none|without)\b")


def merged(passages: Sequence[Passage]) -> list[Passage]:
    """The passages without those that nearly repeat an earlier one."""
    kept: list[Passage] = []
    seen: list[tuple[frozenset[tuple[str, ...]], frozenset[str]]] = []
    for passage in passages:
        own, said = runs(passage.text), telling(passage.text)
        if any(repeats(own, other) and said <= had for other, had in seen):
            continue
        kept.append(passage)
        seen.append((own, said))
    return kept


def telling(text: str) -> frozenset[str]:
    """The figures, names and negations of a text."""
    return frozenset(word.rstrip(".,") for word in _TELLING.findall(text))


def runs(text: str) -> frozenset[tuple[str, ...]]:
    """The runs of RUN words of a text; of a shorter text all of it."""
    words = tokens(text)
    if len(words) <= RUN:
        return frozenset({tuple(words)})
    return frozenset(tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))


def repeats(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    """Whether `one` has few runs that the other has not; a longer one never repeats a shorter."""
    return bool(one) and len(one & other) >= SAME * len(one)


def affordable(texts: Sequence[str], budget: int, count: Count) -> list[str]:
    """The last texts that fit the share of the budget for demonstrations: the most similar ones."""
    kept: list[str] = []
    left = DEMOS * budget
    for text, size in zip(reversed(texts), reversed(count(texts)), strict=True):
        if size > left:
            break
        kept.append(text)
        left -= size
    return kept[::-1]


def without_tokens(text: str, share: float, rarity: Mapping[str, float]) -> str:
    """The text with the share of its words that tell most, in their order: the baseline."""
    words = _WORD.findall(text)
    worth = [max((rarity.get(token, 0.0) for token in tokens(word)), default=0.0) for word in words]
    most = sorted(range(len(words)), key=lambda at: (-worth[at], at))[: round(share * len(words))]
    return " ".join(words[at] for at in sorted(most))
