"""Answers from a table, without an LLM: a program over its cells, its SQL shown, the cells cited.

Lookups, counts, extremes, comparisons, sums, averages, differences, what stands before or after;
a statement is held against the table instead. Not here: the programs (retrievers/tableqa/), which
table it is (retrievers/tables/), whether the cells still stand (verifiers/recheck.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pilotfish.types import UNCALIBRATED, Answer, Basis, Case, Citation
from retrievers.tableqa.solver import Ranked
from retrievers.tables.held import Laid, Tables
from retrievers.tables.retrieve import About, about, cells, passage_of

MODEL = "table"
SURE, SURE_CLAIM = 0.65, 0.75  # support from which it answers: of those four of five are right
_ASKED = re.compile(r"\?|\b(what|which|who|whom|whose|when|where|why|how)\b", re.I)
_ASKS = re.compile(r"^\W*(is|are|was|were|do|does|did|has|have|can|could|will|should|name|list|tell"
                   r"|give|show|count|find)\b", re.I)  # fmt: skip
_SAYS = re.compile(
    r"\b(be|is|are|was|were|been|have|has|had|do|does|did|will|can|win|won|play\w*|scor\w+|los\w+"
    r"|finish\w*|rank\w*|record\w*|occur\w*|take|took|make|made|get|got|us\w+|come|came|host\w*"
    r"|hold|held|start\w*|begin|began|end\w*|shar\w+|appear\w*|represent\w*|serv\w+|beat|defeat\w*"
    r"|lead|led|releas\w+|air\w*|receiv\w+|show\w*|attend\w*|participat\w+|give|gave|go|went)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """Puts the best table's answer into the case; leaves it as it is where no table has one."""

    tables: Tables
    name: str = MODEL

    def __call__(self, case: Case, /) -> Case:
        scope = case.question.scope
        if scope.topic is not None or scope.kind not in (None, "table"):
            return case
        tables, text = routed(about(self.tables, case), case), case.question.text
        if tables and scope.table is not None and states(text):
            return self._judged(case, text, tables[0])
        best = self._best(text, tables)
        if best is None:
            return case
        one, ranked, support = best
        answer = _answer(one.laid, ranked, support, self.tables.where or UNCALIBRATED)
        answer = replace(answer, abstained=support < SURE)
        notes = {"table": one.laid.table.name, "sql": ranked.sql, "about": round(one.chance, 3),
                 "confidence": round(ranked.confidence, 3)}  # fmt: skip
        return replace(case, answer=answer, notes=notes)

    def _best(self, text: str, tables: list[About]) -> tuple[About, Ranked, float] | None:
        """The answer that is likeliest right, of all tables; less so where another says other."""
        found = [
            (one, ranked[0], one.chance * ranked[0].confidence)
            for one in tables
            if (ranked := self.tables.answers(text, one.laid))
        ]
        if not found:
            return None
        one, best, chance = max(found, key=lambda three: three[2])
        rival = max((c for _, other, c in found if other.values != best.values), default=0.0)
        return one, best, round(chance * (1 - rival), 4)

    def _judged(self, case: Case, claim: str, one: About) -> Case:
        """A statement: supported or contradicted by the table."""
        judged = self.tables.judged(claim, one.laid)
        holds = judged.supported >= 0.5
        support = round(judged.supported if holds else 1 - judged.supported, 4)
        text = "supported" if holds else "contradicted"
        read = cells(one.laid, judged.rows, judged.columns)
        basis = Basis(support, {"compared": judged.kind}, MODEL, self.tables.where or UNCALIBRATED)
        cited = (Citation((0, len(text)), read, support, passage_of(one.laid, judged.rows)),)
        answer = Answer(text, (text,), MODEL, cited, support, basis=basis)
        answer = replace(answer, abstained=support < SURE_CLAIM)
        return replace(case, answer=answer, notes={"table": one.laid.table.name, "claim": True})


def routed(tables: list[About], case: Case) -> list[About]:
    """The tables with the chance that the sources gave to tables, where the caller named none.

    That chance is the best table's; the others' are less as they share less with the question.
    Scores above 1 are a ranking's own, which nobody routed.
    """
    scope = case.question.scope
    given = max((p.score for p in case.passages if p.kind == "table"), default=0.0)
    if scope.table is not None or scope.kind is not None or not tables or not tables[0].chance:
        return tables
    if given > 1.0:
        return tables
    return [replace(one, chance=given * one.chance / tables[0].chance) for one in tables]


def states(text: str) -> bool:
    """Whether a text says something, rather than asks for it."""
    return not (_ASKED.search(text) or _ASKS.match(text)) and bool(_SAYS.search(text))


def _answer(laid: Laid, ranked: Ranked, support: float, where: str) -> Answer:
    text = ", ".join(ranked.values)
    read = cells(laid, ranked.rows, ranked.columns)
    features = {"sql": ranked.sql, "rows": str(len(ranked.rows))}
    basis = Basis(ranked.confidence, features, MODEL, where)
    cited = (Citation((0, len(text)), read, support, passage_of(laid, ranked.rows)),)
    return Answer(text, ranked.values, MODEL, cited, support, basis=basis)
