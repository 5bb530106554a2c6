"""First judge: is each sentence carried by the passages, and does the answer fit the question?

Lexical and embedding agreement with the best window; numbers and negation must match. The
answer's support is the weakest sentence's probability times the window's relevance to the
question. Both judges are logistic fits (weights.json). Later work replaces the judgement
inside `judged`, not the shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.pilot.reading import Judge
from pilotfish.types import Answer, Case, Passage
from verifiers import evidence
from verifiers.evidence import Embed, Window
from verifiers.keys import Claim, clean
from verifiers.relevance import relevance
from verifiers.spanned import spanned
from verifiers.weights import judge

CARRIED = 0.5  # a sentence below this is unsupported
READER_ODDS = 6.0
VERBATIM = 0.99  # a claim that is a whole sentence of the passage, word for word
_SHORT_WORDS = 6  # a shorter sentence is judged together with the question


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, its best window (None: nothing comes near) and P(the window carries it)."""

    claim: Claim
    window: Window | None
    support: float
    reason: str = ""


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
        found = [judged(claim, case, self.embed) for claim in claims]
        if not found:
            return case
        weakest = min(found, key=lambda one: one.support)
        fit = max(fitness(case, one, self.embed) for one in found)
        notes = {
            "claims": [round(one.support, 3) for one in found],
            "relevance": round(fit, 3),
        }
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


def judged(claim: Claim, case: Case, embed: Embed) -> Judged:
    """The best window of the named passages, or of all when none was named, and its support."""
    named = [p for p in case.passages if p.id in claim.named]
    hypothesis = _hypothesis(claim.text, case.question.text)
    best = Judged(claim, None, 0.0, "no passage comes near")
    for pool in ([named] if named else []) + [_others(case.passages, named)]:
        if best.support < CARRIED and pool:
            best = max(best, _against(claim, hypothesis, pool, embed), key=lambda one: one.support)
    return best


def _others(passages: Sequence[Passage], named: Sequence[Passage]) -> list[Passage]:
    return [passage for passage in passages if passage not in named]


def _hypothesis(claim: str, question: str) -> str:
    return f"{question} {claim}" if len(claim.split()) < _SHORT_WORDS else claim


def _against(claim: Claim, hypothesis: str, pool: Sequence[Passage], embed: Embed) -> Judged:
    found = [window for passage in pool for window in evidence.windows(passage)]
    exact = [window for window in found if evidence.word_for_word(claim.text, window)]
    if exact:
        least = min(len(window.text) for window in exact)
        tightest = [window for window in exact if len(window.text) == least]
        if len(tightest) > 1:  # one needs no ranking, which costs two encodings
            tightest = evidence.ranked(hypothesis, tightest, embed)
        return Judged(claim, tightest[0], VERBATIM)
    best = Judged(claim, None, 0.0, "no passage comes near")
    for window in evidence.ranked(hypothesis, found, embed)[:3]:
        one = _rated(claim, window)
        best = max(best, one, key=lambda j: j.support) if best.window else one
    return best


def _rated(claim: Claim, window: Window) -> Judged:
    """The fitted judge under two hard rules: numbers and negation must match."""
    support = judge("claim")(claim_features(claim.text, window))
    if evidence.unquoted_numbers(claim.text, window):
        return Judged(claim, window, min(support, 0.05), "a number is not in the evidence")
    if evidence.negation_differs(claim.text, window.text):
        return Judged(claim, window, min(support, 0.2), "one is negated, the other is not")
    return Judged(claim, window, support)


def claim_features(claim: str, window: Window) -> dict[str, float]:
    """What the claim judge sees."""
    context = " ".join([window.passage.title, *window.passage.place.heading, window.text])
    return {
        "overlap": window.overlap,
        "cosine": window.cosine,
        "names": evidence.missing_names(claim, context),
        "numbers": float(min(2, evidence.unquoted_numbers(claim, window))),
        "negation": float(evidence.negation_differs(claim, window.text)),
    }


def fitness(case: Case, one: Judged, embed: Embed) -> float:
    """P(the claim's window answers the question); more when the claim named its passage."""
    if one.window is None:
        return 0.0
    ranks = {passage.id: rank for rank, passage in enumerate(case.passages)}
    question = case.question.text
    window = evidence.ranked(question, [one.window], embed)[0]
    fit = relevance(question, window, ranks[window.passage.id])
    return vouched(fit) if window.passage.id in one.claim.named else fit
