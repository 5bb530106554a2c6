"""Cells and edges that an answer cites, read again: what is not there now is cited no more.

An answer from a table or a graph is true to its source or not at all, so that one changed cell
withdraws it. Not here: what its support is worth (trust.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pilotfish.types import Answer, Case, Cells, Flaw, Triple

Stands = Callable[[Cells | Triple], bool]


@dataclass(frozen=True, slots=True)
class Recheck:
    """`stands(source)`: whether the stored cells or edge are what the citation says."""

    stands: Stands
    name: str = "recheck"

    def __call__(self, case: Case, /) -> Case:
        answer = case.answer
        if answer is None or not of_facts(answer):
            return case
        gone = [
            one for one in answer.citations
            if isinstance(one.source, Cells | Triple) and not self.stands(one.source)
        ]  # fmt: skip
        if not gone:
            return replace(case, notes={"read again": len(answer.citations)})
        flaw = Flaw("changed", 0, len(answer.text), f"{len(gone)} of its sources changed meanwhile")
        withdrawn = replace(answer, abstained=True, citations=(), flaws=(*answer.flaws, flaw))
        return replace(case, answer=withdrawn, notes={"why": flaw.detail})


def of_facts(answer: Answer | None) -> bool:
    """Whether the answer cites cells or edges, and so is no text to be judged by sentences."""
    return answer is not None and any(
        isinstance(one.source, Cells | Triple) for one in answer.citations
    )
