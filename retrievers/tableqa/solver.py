"""The door: answers questions and judges claims over one table, with a calibrated confidence.

No language model and no network: programs are tried, ranked by fitted weights, and what they give
is told with the program and its SQL. `fit` goes on from answers alone. Not here: how (fitting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retrievers.tableqa.fitting import Example, fit_claims, fit_questions
from retrievers.tableqa.frame import Frame
from retrievers.tableqa.programs import Program
from retrievers.tableqa.reading import answers, ask, claim, claim_signs, signs, support
from retrievers.tableqa.sql import sql
from retrievers.tableqa.statements import rows_of
from retrievers.tableqa.weights import SHIPPED, Weights

MOST = 5  # answers told


@dataclass(frozen=True, slots=True)
class Ranked:
    """values: the table's own strings, or computed numbers. confidence: P(right), 0 to 1.

    rows, columns: numbers, from 0, of what was read. sql: the program as SQL, over "t" (sql.py).
    """

    values: tuple[str, ...]
    confidence: float
    program: Program
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class Judged:
    """supported: P(the table supports the claim), 0 to 1.

    program: of the statement that weighs most; None when the table gives nothing to judge by.
    kind: how the claim is compared with it (statements.py). denied: the claim says the contrary.
    """

    supported: float
    program: Program | None
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    kind: str = ""
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Solver:
    """Weights at work; the same question over the same table gives the same answer."""

    weights: Weights

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Solver:
        """With the shipped weights, or those of a file; ValueError when they are broken."""
        return cls(Weights.load(path))

    @classmethod
    def fit(
        cls,
        questions: Sequence[Example] = (),
        claims: Sequence[Example] = (),
        start: Weights | None = None,
    ) -> Solver:
        """Of labelled questions, claims or both, onwards from `start` when there is one.

        What has no examples stays as in `start`. ValueError: none of the examples' answers is
        given by any program.
        """
        before = start or Weights()
        return cls(
            Weights(
                fit_questions(questions, before.questions) if questions else before.questions,
                fit_claims(claims, before.claims) if claims else before.claims,
            )
        )

    def answer(
        self, question: str, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = ""
    ) -> list[Ranked]:
        """At most MOST different answers, best first; none when no program gives one."""
        return self.answer_frame(question, Frame.of(columns, rows), title)

    def answer_frame(self, question: str, frame: Frame, title: str = "") -> list[Ranked]:
        """The same over a frame, which many questions may share."""
        ranker = self.weights.questions
        asked = ask(question, frame, title)
        if asked is None or ranker is None:
            return []
        ranked = answers(asked, ranker.weights)
        first = ranker.trust(signs(asked, ranked))
        made = []
        for one in ranked[:MOST]:
            # What is not first shares what the first one leaves, by mass.
            rest = max(1e-9, 1 - ranked[0].mass)
            sure = first if one is ranked[0] else min(first, (1 - first) * one.mass / rest)
            result, program = one.clear.result, one.clear.program
            values, told = one.candidate.result.values, sql(program, frame)
            made.append(Ranked(values, sure, program, result.rows, result.columns, told))
        return made

    def judge(
        self, text: str, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = ""
    ) -> Judged:
        """How likely the table supports a claim."""
        return self.judge_frame(text, Frame.of(columns, rows), title)

    def judge_frame(self, text: str, frame: Frame, title: str = "") -> Judged:
        """The same over a frame, which many claims may share."""
        ranker = self.weights.claims
        claimed = claim(text, frame, title)
        if claimed is None or ranker is None:
            return Judged(0.5, None, (), ())
        mass, held = support(claimed, ranker.weights)
        chance = ranker.trust(claim_signs(claimed, mass, held))
        sides = [share if one.true == (chance >= 0.5) else -1.0
                 for one, share in zip(claimed.found, held, strict=True)]  # fmt: skip
        best = claimed.found[max(range(len(sides)), key=lambda i: sides[i])]
        result = best.candidate.result
        return Judged(chance, best.candidate.program, rows_of(best, frame), result.columns,
                      best.kind, best.denied)  # fmt: skip
