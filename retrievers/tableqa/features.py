"""What a ranker sees of candidates: parts of programs beside the words of a question.

A feature is a name hashed to 32 bits. *Traits* of a program are crossed with every phrase of the
question, *facts* stand alone, so a weight exists for (phrase, trait) pairs as in Pasupat and Liang
(arXiv 1508.00305), but each pair is scored once a question and not once a candidate. Not here:
weights (rank.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from retrievers.tableqa.candidates import Candidate
from retrievers.tableqa.frame import Frame
from retrievers.tableqa.linking import Question
from retrievers.tableqa.traits import Traits
from retrievers.tableqa.words import hashed

Hashes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Design:
    """One question's candidates as sparse rows.

    phrases, traits, facts: hashes; a row's numbers below len(traits) are traits, the others facts.
    items: the numbers of all rows, one row after the other; starts: where each row begins.
    """

    phrases: Hashes
    traits: Hashes
    facts: Hashes
    items: NDArray[np.int32]
    starts: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts)


def design(question: Question, frame: Frame, found: Sequence[Candidate]) -> Design:
    """The sparse rows of these candidates, in their order."""
    table = Traits(question, frame)
    return assembled(phrases(question), [table.of(candidate) for candidate in found])


def assembled(words: Sequence[str], named: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Design:
    """A design of phrases and of each row's (traits, facts)."""
    crossed: dict[str, int] = {}
    alone: dict[str, int] = {}
    rows: list[list[int]] = []
    for traits, facts in named:
        rows.append([crossed.setdefault(name, len(crossed)) for name in traits])
        rows[-1].extend([-1 - alone.setdefault(name, len(alone)) for name in facts])
    shift = len(crossed)
    items = [i if i >= 0 else shift - 1 - i for row in rows for i in row]
    sizes = np.array([0, *(len(row) for row in rows)], np.int32)
    return Design(_hashes(words), _hashes(crossed), _hashes(alone),
                  np.array(items, np.int32), np.cumsum(sizes)[:-1].astype(np.int32))  # fmt: skip


def _hashes(names: Sequence[str] | dict[str, int]) -> Hashes:
    return np.array([hashed(name) for name in names], np.uint32)


def phrases(question: Question) -> list[str]:
    """Words, pairs and the beginning of a question; linked words stand as <v>, numbers as <n>."""
    masked = list(_masked(question))
    pairs = [f"{a} {b}" for a, b in pairwise(masked)]
    head = [f"^{' '.join(masked[:n])}" for n in (1, 2, 3) if len(masked) >= n]
    words = [word for word in masked if word != "<v>"]
    return list(dict.fromkeys(["*", *words, *pairs, *head]))


def _masked(question: Question) -> Iterator[str]:
    covered = {i for link in question.links if link.how == "whole" or link.end - link.start > 1
               for i in range(link.start, link.end)}  # fmt: skip
    last = ""
    for i, word in enumerate(question.stems):
        told = "<v>" if i in covered else "<n>" if word[0].isdigit() else word
        if not (told == "<v>" and last == "<v>"):
            yield told
        last = told
