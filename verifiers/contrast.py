"""CaLM's contrast: a small reader answers from the cited passages alone, and must agree.

Hsu et al., Findings of ACL 2024 (arXiv 2406.05365): what the large model knows by itself, a small
one that reads only the citations cannot say. Disagreement is a flaw; a Loop in the recipe then
asks again over the next passages. Not here: that loop (pipeline/retry.py), the reader (a Step).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pilotfish.step import Step, run
from pilotfish.text import shorten, words
from pilotfish.types import Case, Flaw
from verifiers.nli import Nli

FLAW = "contrast"


@dataclass(frozen=True, slots=True)
class Contrast:
    """`reader` answers a case by its passages. `free`: models that say only what they cite."""

    reader: Step
    nli: Nli
    least: float = 0.5
    free: tuple[str, ...] = ("extract", "sentence")
    name: str = "contrast"

    def __call__(self, case: Case, /) -> Case:
        answer = case.answer
        if answer is None or answer.abstained or answer.model in self.free:
            return case
        ids = {citation.passage for citation in answer.citations}
        cited = tuple(passage for passage in case.passages if passage.id in ids)
        if not cited:
            return case
        done = run(self.reader, replace(case, passages=cited, answer=None))
        case = replace(case, trace=done.trace)
        read = done.answer.text if done.answer and not done.answer.abstained else ""
        if not read.strip():
            return replace(case, notes={"why": "the reader finds no answer in what is cited"})
        agreed = self._agreement(case.question.text, answer.text, read)
        notes = {"read": shorten(read, 200), "agreement": round(agreed, 3)}
        if agreed >= self.least:
            return replace(case, notes=notes)
        said = f"from the citations alone one reads: {shorten(read, 120)}"
        flaw = Flaw(FLAW, 0, len(answer.text), said)
        return replace(case, answer=replace(answer, flaws=(*answer.flaws, flaw)), notes=notes)

    def _agreement(self, question: str, said: str, read: str) -> float:
        """1 when one holds the other's words, else P(one carries the other), the better way."""
        ours, theirs = words(said), words(read)
        if _holds(ours, theirs) or _holds(theirs, ours):
            return 1.0
        one, other = f"{question} {said}", f"{question} {read}"
        return max(self.nli(one, other)[0], self.nli(other, one)[0])


def _holds(longer: list[str], shorter: list[str]) -> bool:
    """Whether the words stand in the other list, one after the other."""
    size = len(shorter)
    return bool(shorter) and any(
        longer[at : at + size] == shorter for at in range(len(longer) - size + 1)
    )
