"""One question or claim read by a ranker: the answers with their mass, and what to trust it by.

Programs that give the same answer hold its mass together. The numbers for the trust say how the
mass lies and what kind of program leads. Not here: the public door (solver.py), fitting (fit.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retrievers.tableqa.candidates import Candidate, candidates
from retrievers.tableqa.claims import claim_design
from retrievers.tableqa.denotation import Value, denotation
from retrievers.tableqa.features import Design, design
from retrievers.tableqa.frame import Frame
from retrievers.tableqa.linking import Question
from retrievers.tableqa.rank import Table, Vector, scores, shares
from retrievers.tableqa.statements import Statement, statements
from retrievers.tableqa.trust import logit
from retrievers.tableqa.words import STOP, lemma

Flags = NDArray[np.bool_]
_KINDS = ("cells", "count", "distinct", "difference", "range", "frequent", "sum", "more")
_DENIES = frozenset("not no other except besides without never than but excluding n't".split())
NEARLY = 0.1  # of the likeliest share: a program that may be shown in its place


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's candidates, what each denotes and their design; at least one candidate."""

    question: Question
    found: tuple[Candidate, ...]
    denoted: tuple[frozenset[Value], ...]
    design: Design


@dataclass(frozen=True, slots=True)
class Answered:
    """One denotation: its mass, the likeliest program that gives it, and the one to be shown."""

    mass: float
    share: float
    number: int
    candidate: Candidate
    clear: Candidate


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim's statements and their design; at least one statement.

    true, denied: of each statement. joint: 1 when one row holds all that is linked, 0 when none
    does, 0.5 when nothing is linked.
    """

    claim: Question
    found: tuple[Statement, ...]
    design: Design
    true: Flags
    denied: Flags
    joint: float


def ask(text: str, frame: Frame, title: str = "") -> Asked | None:
    """The question's candidates over the frame; None when there are none."""
    question = Question.of(text, frame, title)
    found = candidates(question, frame)
    if not found:
        return None
    denoted = tuple(denotation(each.result.values) for each in found)
    return Asked(question, tuple(found), denoted, design(question, frame, found))


def claim(text: str, frame: Frame, title: str = "") -> Claimed | None:
    """The claim's statements over the frame; None when there are none."""
    question = Question.of(text, frame, title)
    question = replace(question, stems=tuple(map(lemma, question.stems)))
    found = statements(question, frame)
    if not found:
        return None
    joint = [one.true for one in found if one.kind.startswith("joint") and not one.denied]
    return Claimed(
        question, tuple(found), claim_design(question, frame, found),
        np.array([one.true for one in found]), np.array([one.denied for one in found]),
        float(joint[0]) if joint else 0.5,
    )  # fmt: skip


def answers(asked: Asked, weights: Table) -> list[Answered]:
    """One for each denotation, of most mass first; ties in the order of the candidates."""
    held = shares(scores(asked.design, weights))
    groups: dict[frozenset[Value], list[int]] = {}
    for number, key in enumerate(asked.denoted):
        groups.setdefault(key, []).append(number)
    made = []
    for numbers in groups.values():
        best = max(numbers, key=lambda i: held[i])
        mass = float(held[numbers].sum())
        clear = asked.found[_clearest(asked, numbers, held)]
        made.append(Answered(mass, float(held[best]), best, asked.found[best], clear))
    return sorted(made, key=lambda one: -one.mass)


def _clearest(asked: Asked, numbers: Sequence[int], held: Vector) -> int:
    """Of the programs that give one answer the one to be shown and cited: nearly as likely as the
    likeliest, it speaks of most words of the question. A right answer may have a wrong reason.
    """
    most = max(held[number] for number in numbers)
    near = [number for number in numbers if held[number] >= NEARLY * most]

    def said(number: int) -> int:
        links = asked.found[number].links
        return len({at for link in links for at in range(link.start, link.end)})

    denies = bool(_DENIES & set(asked.question.words))

    def plain(number: int) -> bool:
        rows = asked.found[number].program.rows
        return denies or all(test.test not in ("not", "!=") for test in rows.where)

    return max(near, key=lambda number: (plain(number), said(number), held[number]))


def signs(asked: Asked, ranked: Sequence[Answered]) -> list[float]:
    """What the trust in the first answer is read from."""
    first = ranked[0]
    second = ranked[1].mass if len(ranked) > 1 else 0.0
    program, question = first.candidate.program, asked.question
    covered = {i for link in first.candidate.links for i in range(link.start, link.end)}
    left = sum(i not in covered for i in question.linked)
    unknown = [i for i, word in enumerate(question.words) if word not in STOP]
    return [
        logit(first.mass), math.log((first.mass + 1e-4) / (second + 1e-4)), first.share,
        -sum(one.mass * math.log(one.mass + 1e-9) for one in ranked[:20]),
        math.log(len(ranked)), min(left, 6), min(len(unknown), 15), len(first.candidate.links),
        min(len(first.candidate.result.values), 6), float(bool(program.rows.order)),
        float(bool(program.rows.step)), float(first.candidate.result.values == ("0",)),
        *(float(program.op == kind) for kind in _KINDS),
    ]  # fmt: skip


def support(claimed: Claimed, weights: Table) -> tuple[float, Vector]:
    """The mass of the true statements, and each statement's share."""
    held = shares(scores(claimed.design, weights))
    return float(held[claimed.true].sum()), held


def claim_signs(claimed: Claimed, mass: float, held: Vector) -> list[float]:
    """What the trust in a claim's support is read from; all but the first are about its middle."""
    odds = logit(mass)
    top = float(held.max())
    leader = int(held.argmax())
    return [odds, odds * top, float(claimed.true[leader]), float(claimed.denied[leader]),
            claimed.joint, min(len(claimed.claim.words), 30) * odds / 30,
            min(len(claimed.claim.links), 10) * odds / 10]  # fmt: skip
