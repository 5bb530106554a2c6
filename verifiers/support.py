"""Is each sentence carried by the passages, and does the answer fit the question?

The answer's support is the weakest sentence's probability (claims.py) times its window's relevance
to the question; an extracted span has a judge of its own (spanned.py). Not here: citations and
flaws (cite.py), what support is worth (trust.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.pilot.reading import Judge
from pilotfish.types import Answer, Case
from verifiers import evidence
from verifiers.claims import Judged, judged, judged_all
from verifiers.evidence import Embed
from verifiers.keys import clean
from verifiers.relevance import relevance
from verifiers.rules import VERBATIM
from verifiers.spanned import spanned
from verifiers.verdict import CARRIED
from verifiers.weights import judge

__all__ = ["CARRIED", "VERBATIM", "Judged", "Support", "judged", "judged_all"]

READER_ODDS = 6.0


@dataclass(frozen=True, slots=True)
class Support:
    """Sets `answer.support`; leaves it None when there is no claim or passage to look at."""

    embed: Embed
    model: Judge | None = None
    name: str = "support"

    def __call__(self, case: Case, /) -> Case:
        answer = case.answer
        if answer is None or not case.passages:
            return case
        if (span := spanned(case, self.model)) is not None:
            notes: dict[str, object] = {"span": {k: round(v, 3) for k, v in span.features.items()}}
            return replace(case, answer=_with(answer, judge("span")(span.features)), notes=notes)
        _, claims = clean(answer.text, case)
        found = judged_all(claims, case, self.embed, self.model)
        if not found:
            return case
        weakest = min(found, key=lambda one: one.support)
        fit = max(fitness(case, one, self.embed) for one in found)
        notes = {
            "claims": [round(one.support, 3) for one in found],
            "relevance": round(fit, 3),
        }
        if self.model is not None:
            notes["verdicts"] = [_told(one) for one in found]
        if weakest.reason:
            notes["weakest"] = weakest.reason
        return replace(case, answer=_with(answer, weakest.support * fit), notes=notes)


def vouched(relevance: float) -> float:
    """The relevance once a reader has named the passage by a key that it could not guess.

    The judge is fitted on sentences picked without a reader; one that may refuse, and did not,
    raises the odds. READER_ODDS is an assumption until answers of LLMs are labelled.
    """
    odds = READER_ODDS * relevance / max(1e-9, 1.0 - relevance)
    return odds / (1.0 + odds)


def _with(answer: Answer, support: float) -> Answer:
    return replace(answer, support=round(support, 4))


def _told(one: Judged) -> dict[str, object]:
    """A claim's verdict for the trace; the place of its evidence, not its text."""
    window = one.window
    place = f"{window.passage.document}:{window.start}-{window.end}" if window else None
    return {"verdict": one.verdict, "contradicted": round(one.contradicted, 3), "evidence": place}


def fitness(case: Case, one: Judged, embed: Embed) -> float:
    """P(the claim's window answers the question); more when the claim named its passage."""
    if one.window is None:
        return 0.0
    ranks = {passage.id: rank for rank, passage in enumerate(case.passages)}
    question = case.question.text
    window = evidence.ranked(question, [one.window], embed)[0]
    fit = relevance(question, window, ranks[window.passage.id])
    return vouched(fit) if window.passage.id in one.claim.named else fit
