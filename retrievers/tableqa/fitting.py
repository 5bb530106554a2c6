"""Fits the weights from labelled questions and claims: no programs are told, only answers.

Lessons are made once, the ranker passes over them, and the trust is fitted on parts that a ranker
of the other parts ranked, split by table. Seeded: the same examples give the same weights. Not
here: reading data sets (benchmarks/tableqa/fit.py).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrievers.tableqa.denotation import denotation
from retrievers.tableqa.frame import Frame
from retrievers.tableqa.rank import Lesson, Table, Trainer, train
from retrievers.tableqa.reading import (
    Asked,
    Claimed,
    Flags,
    answers,
    ask,
    claim,
    claim_signs,
    signs,
    support,
)
from retrievers.tableqa.trust import Trust
from retrievers.tableqa.weights import Ranker

PASSES = 5
FURTHER = 2  # passes onwards from fitted weights: few examples must not undo many
PARTS = 4  # of the cross-fitting
FEWEST = 200  # labelled examples below which the trust of the start is kept


@dataclass(frozen=True, slots=True)
class Example:
    """A question over a table and its right answers; or a claim, which holds or not.

    answers: texts, for questions; supported: for claims. Which it is, the caller knows.
    """

    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    answers: tuple[str, ...] = ()
    supported: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Studied:
    """One example read: `part` is its table's, of the cross-fitting."""

    read: Asked | Claimed
    right: Flags
    supported: bool
    part: int

    @property
    def lesson(self) -> Lesson:
        """What the ranker learns from."""
        return Lesson(self.read.design, self.right)


def fit_questions(examples: Iterable[Example], start: Ranker | None = None,
                  passes: int = 0) -> Ranker:  # fmt: skip
    """A ranker of questions, from zero or onwards from `start`; ValueError without examples."""
    return fitted(list(study_questions(examples)), start, passes or _passes(start))


def fit_claims(examples: Iterable[Example], start: Ranker | None = None,
               passes: int = 0) -> Ranker:  # fmt: skip
    """A ranker of claims, from zero or onwards from `start`; ValueError without examples."""
    return fitted(list(study_claims(examples)), start, passes or _passes(start))


def _passes(start: Ranker | None) -> int:
    return FURTHER if start else PASSES


def study_questions(examples: Iterable[Example]) -> Iterator[Studied]:
    """Each example whose question has candidates, with those that give the answers."""
    for example, frame in _framed(examples):
        asked = ask(example.text, frame, example.title)
        if asked:
            wanted = denotation(example.answers)
            right = np.array([each == wanted for each in asked.denoted])
            yield Studied(asked, right, False, _part(example))


def study_claims(examples: Iterable[Example]) -> Iterator[Studied]:
    """Each example whose claim has statements, with those that are as true as the claim."""
    for example, frame in _framed(examples):
        claimed = claim(example.text, frame, example.title)
        if claimed:
            right = claimed.true == example.supported
            light = replace(claimed, found=())
            yield Studied(light, right, example.supported, _part(example))


def _framed(examples: Iterable[Example]) -> Iterator[tuple[Example, Frame]]:
    """Examples with their frames; neighbours over the same rows share one."""
    last: Example | None = None
    frame = Frame.of((), ())
    for example in examples:
        if last is None or example.rows is not last.rows:
            frame = Frame.of(example.columns, example.rows)
        last = example
        yield example, frame


def _part(example: Example) -> int:
    rows = "\n".join("\t".join(map(str, row)) for row in example.rows[:20])
    return zlib.crc32(rows.encode("utf-8")) % PARTS


def fitted(studied: Sequence[Studied], start: Ranker | None, passes: int) -> Ranker:
    """A ranker of studied examples with a trust that was fitted across their parts."""
    if not any(one.right.any() for one in studied):
        raise ValueError("no labelled example has a program that gives its answer: none to fit")
    before = start.weights if start else None
    weights = learned(studied, before, passes)
    if start and len(studied) < FEWEST:
        return Ranker(weights, start.trust)
    rows = crossed(studied, before, passes)
    return Ranker(weights, Trust.fitted([row for row, _ in rows], [true for _, true in rows]))


def crossed(
    studied: Sequence[Studied], start: Table | None = None, passes: int = PASSES
) -> list[tuple[list[float], bool]]:
    """What `judged` gives each example under weights of the other parts' tables, in order."""
    made: dict[int, tuple[list[float], bool]] = {}
    for part in range(PARTS):
        others = learned([one for one in studied if one.part != part], start, passes)
        made.update((i, judged(one, others)) for i, one in enumerate(studied) if one.part == part)
    return [made[i] for i in range(len(studied))]


def learned(studied: Sequence[Studied], start: Table | None, passes: int) -> Table:
    """Weights of the examples that some candidate is right for."""
    lessons = [one.lesson for one in studied if one.right.any()]
    return train(lessons, Trainer.fresh(start), passes)


def judged(one: Studied, weights: Table) -> tuple[list[float], bool]:
    """What the trust reads of one example, and what it should have said."""
    if isinstance(one.read, Claimed):
        mass, held = support(one.read, weights)
        return claim_signs(one.read, mass, held), one.supported
    ranked = answers(one.read, weights)
    return signs(one.read, ranked), bool(one.right[ranked[0].number])
