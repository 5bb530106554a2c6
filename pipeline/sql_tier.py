"""The LLM's tier for tables: one call that writes SQL; the locked reader runs it.

What came back wrong is told to the LLM once more, where the limits allow a second call. The answer
is the result's cells, the rows that were read are cited, the SQL is in the trace. Where the small
models' own program gives the same, the answer is likelier right. Not here: the prompt
(prompters/sql.py), the fence (retrievers/locked/).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from pilotfish.errors import BudgetExceeded, ModelError
from pilotfish.step import Step, run
from pilotfish.types import UNCALIBRATED, Answer, Basis, Case, Citation, Hint
from pipeline.graph_answer import listed
from retrievers.sql import Ran, Runs

MODEL = "sql"
# An assumption until answers are labelled (pilotfish tune trust): of well-formed SQL over linked
# tables by a strong LLM about this share is right, of empty results much less.
FOUND, EMPTY = 0.75, 0.3
_FENCE = re.compile(r"```(?:sql)?\s*(.*?)```", re.S | re.I)

Guess = Callable[[Case], tuple[tuple[str, ...], float] | None]


@dataclass(frozen=True, slots=True)
class SqlTier:
    """`write`: the prompter; `llm`: the tier's LLM; `read`: runs the `sql` hint.

    `guess`: what the small models answer from the same tables, and how sure they are.
    """

    write: Step
    llm: Step
    read: Step
    sheets: Runs
    guess: Guess = lambda case: None
    name: str = MODEL

    def __call__(self, case: Case, /) -> Case:
        asked = run(self.write, replace(case, prompt=None))
        if asked.prompt is None:
            return replace(case, trace=asked.trace, notes={"why": "no table to ask"})
        done, ran = self._tried(asked)
        if ran is not None and ran.problem and case.question.limits.max_calls > 1:
            done, ran = self._again(case, done, ran)
        kept = replace(case, trace=done.trace, passages=done.passages)
        if ran is None or ran.problem:
            why = ran.problem if ran else "the LLM says that the tables cannot answer it"
            return replace(kept, answer=Answer("", model=MODEL, abstained=True), notes={"why": why})
        answer = self._answer(case, ran)
        return replace(kept, answer=answer, notes={"sql": ran.sql, "rows": len(ran.rows)})

    def _tried(self, asked: Case) -> tuple[Case, Ran | None]:
        """One call, and what its SQL gives; None where it wrote none."""
        done = run(self.llm, asked)
        sql = written(done.answer.text if done.answer else "")
        if sql is None:
            return done, None
        done = run(self.read, replace(done, answer=None, hints=(*done.hints, Hint("sql", sql))))
        return done, self.sheets.run(asked, sql)

    def _again(self, case: Case, done: Case, ran: Ran) -> tuple[Case, Ran | None]:
        """The error told to the LLM; the first outcome stays where a second call cannot be."""
        told = f"This query failed:\n{ran.sql}\n{ran.problem}\nWrite it anew."
        hints = (*case.hints, Hint("sql error", told))
        asked = run(self.write, replace(case, hints=hints, trace=done.trace))
        try:
            return self._tried(asked)
        except (ModelError, BudgetExceeded) as error:
            return replace(done, trace=error.trace), ran

    def _answer(self, case: Case, ran: Ran) -> Answer:
        values = tuple(dict.fromkeys(", ".join(filter(None, row)) for row in ran.rows))
        values = tuple(value for value in values if value)
        support = FOUND if values else EMPTY
        guess = self.guess(case)
        if guess is not None and values and set(guess[0]) == set(values):
            support = 1 - (1 - support) * (1 - guess[1])  # two ways to one answer
        text = listed(values) or "none"
        cites = tuple(
            Citation(
                (0, len(text)), used.cells, round(support, 4),
                used.passages[0].id if used.passages else None,
            )
            for used in ran.used
        )  # fmt: skip
        basis = Basis(support, {"sql": ran.sql, "rows": str(len(ran.rows))}, MODEL, UNCALIBRATED)
        return Answer(text, values, MODEL, cites, round(support, 4), basis=basis)


def described(runs: Runs) -> Callable[[Case], str | None]:
    """What a prompt shows of the tables that a question is about; None: of none."""

    def describe(case: Case) -> str | None:
        linked = runs.linked(case)
        return None if linked is None else linked.text

    return describe


def written(reply: str) -> str | None:
    """The SQL of a reply, out of its code fence; None where it says NONE, or nothing."""
    fenced = _FENCE.search(reply)
    text = (fenced.group(1) if fenced else reply).strip().rstrip(";").strip()
    return None if not text or text.upper() == "NONE" else text


@dataclass(frozen=True, slots=True)
class OrSql:
    """An LLM's tier: asked for SQL where `wants` says that tables hold the answer, else for text.

    Either way it is one call, and the tier has the LLM's name.
    """

    wants: Callable[[Case], bool]
    sql: Step
    llm: Step
    name: str

    def __call__(self, case: Case, /) -> Case:
        return self.sql(case) if self.wants(case) else self.llm(case)
