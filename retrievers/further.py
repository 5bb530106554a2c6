"""The next passages: those that the ranking has and the case has not read.

What the answer cites stays, so that what was right is not lost (after CaLM, arXiv 2406.05365).
Not here: the ranking (a Step), asking again (pipeline/retry.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pilotfish.step import Step, run
from pilotfish.types import Case


@dataclass(frozen=True, slots=True)
class Further:
    """`retriever` must find more than was read; the first k that are new are taken."""

    retriever: Step
    k: int = 10
    name: str = "further"

    def __call__(self, case: Case, /) -> Case:
        read = {passage.id for passage in case.passages}
        done = run(self.retriever, replace(case, passages=()))
        fresh = [passage for passage in done.passages if passage.id not in read][: self.k]
        if not fresh:
            return replace(case, trace=done.trace, notes={"new": 0})
        cited = {citation.passage for citation in case.answer.citations} if case.answer else set()
        kept = [passage for passage in case.passages if passage.id in cited]
        notes = {"new": len(fresh), "kept": len(kept)}
        return replace(case, passages=(*kept, *fresh), trace=done.trace, notes=notes)
