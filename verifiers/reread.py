"""Spans that a composed answer cites, read again: what does not stand there is cited no more.

Each hop of such an answer was judged by its own sub-question; the words of the answer itself
("yes", the name of one of two things) stand in no sentence, so no claim of it is judged. Not here:
the hops (pipeline/hop_answer.py), what support is worth (trust.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pilotfish.types import Answer, Case, Flaw, Span

Read = Callable[[str, int, int], str | None]
HOPS = "hops"  # the model that composed answers name
AGREED = "hops and llm"  # an LLM came to the same by itself


@dataclass(frozen=True, slots=True)
class Reread:
    """`read(document, start, end)` gives the stored slice."""

    read: Read
    name: str = "reread"

    def __call__(self, case: Case, /) -> Case:
        answer = case.answer
        if answer is None or not composed_of_hops(answer):
            return case
        gone = [one for one in answer.citations if not self._stands(one.source)]
        if answer.citations and not gone:
            return replace(case, notes={"read again": len(answer.citations)})
        flaw = Flaw("changed", 0, len(answer.text), f"{len(gone)} of its sources do not stand")
        withdrawn = replace(answer, abstained=True, citations=(), flaws=(*answer.flaws, flaw))
        return replace(case, answer=withdrawn, notes={"why": flaw.detail})

    def _stands(self, source: object) -> bool:
        if not isinstance(source, Span):
            return False
        return self.read(source.document, source.start, source.end) == source.quote


def composed_of_hops(answer: Answer | None) -> bool:
    """Whether the answer was put together from hops that were judged one by one."""
    return answer is not None and answer.model in {HOPS, AGREED}
