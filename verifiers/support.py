"""Is each sentence carried by the passages, and does the answer fit the question?

Each claim is laid against the passages that it names, then against the others (verdict.py: a
cross-encoder where one is configured, else words and cosine), and held to hard rules (rules.py).
The answer's support is the weakest sentence's probability times its window's relevance to the
question. Not here: citations and flaws (cite.py), what support is worth (trust.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.pilot.reading import Judge
from pilotfish.types import Answer, Case, Passage
from verifiers import evidence
from verifiers.evidence import Embed, Window
from verifiers.keys import Claim, clean
from verifiers.relevance import relevance
from verifiers.rules import VERBATIM, ruling
from verifiers.rules import features as claim_features
from verifiers.spanned import spanned
from verifiers.verdict import CARRIED, Asked, Told, Verdict, headed, over
from verifiers.weights import judge

__all__ = ["CARRIED", "VERBATIM", "Judged", "Support", "claim_features", "judged", "judged_all"]

CONTRADICTED = 0.5  # a claim that is not carried, from here on, is denied
READER_ODDS = 6.0
FAR, OTHERWISE = "no passage comes near", "the evidence says otherwise"
_SHORT_WORDS = 6  # a shorter sentence is judged together with the question


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, its best window (None: nothing comes near), P(the window carries it), and P(it
    says otherwise), which stays 0 without a cross-encoder: rules cannot tell.
    """

    claim: Claim
    window: Window | None
    support: float
    reason: str = ""
    contradicted: float = 0.0

    @property
    def verdict(self) -> Literal["supported", "contradicted", "unsupported"]:
        if self.support >= CARRIED:
            return "supported"
        return "contradicted" if self.contradicted >= CONTRADICTED else "unsupported"


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


def judged(claim: Claim, case: Case, embed: Embed, model: Judge | None = None) -> Judged:
    """The best window of the named passages, or of all when none was named, and its support."""
    return judged_all([claim], case, embed, model)[0]


def judged_all(
    claims: Sequence[Claim], case: Case, embed: Embed, model: Judge | None = None
) -> list[Judged]:
    """Every claim against what it names; what that does not carry, against the other passages.

    The model is called once for all claims, and once more for those that go on.
    """
    found = [Judged(claim, None, 0.0, FAR) for claim in claims]
    pools = [_pools(claim, case.passages) for claim in claims]
    for turn in range(max(map(len, pools), default=0)):
        places = [n for n, some in enumerate(pools)
                  if len(some) > turn and some[turn] and found[n].support < CARRIED]  # fmt: skip
        laid = [(claims[n], pools[n][turn]) for n in places]
        for n, one in zip(places, _against(laid, case.question.text, embed, model), strict=True):
            found[n] = max(found[n], one, key=_weight)
    return found


def _pools(claim: Claim, passages: Sequence[Passage]) -> list[list[Passage]]:
    """The passages that the claim names, then the others."""
    named = [passage for passage in passages if passage.id in claim.named]
    others = [passage for passage in passages if passage not in named]
    return [named, others] if named else [others]


def _weight(one: Judged) -> tuple[bool, bool, float]:
    """What carries counts most, then what denies."""
    return one.verdict == "supported", one.verdict == "contradicted", one.support


def _against(
    laid: Sequence[tuple[Claim, Sequence[Passage]]], question: str, embed: Embed,
    model: Judge | None,
) -> Iterable[Judged]:  # fmt: skip
    """Each claim against its pool: word for word, else by the judge, called once for all."""
    look = over(embed, model)
    copies: list[Judged | None] = []
    asked: list[Asked] = []
    for claim, pool in laid:
        hypothesis = _hypothesis(claim.text, question)
        windows = [window for passage in pool for window in evidence.windows(passage)]
        copies.append(_copy(claim, hypothesis, windows, embed))
        if copies[-1] is None:
            ranked = evidence.ranked(hypothesis, windows, embed)
            asked.append(_asked(claim.text, hypothesis, ranked))
    verdicts = iter(look.of(asked))
    return [copy or held(claim, next(verdicts))
            for copy, (claim, _) in zip(copies, laid, strict=True)]  # fmt: skip


def _hypothesis(claim: str, question: str) -> str:
    return f"{question} {claim}" if len(claim.split()) < _SHORT_WORDS else claim


def _copy(claim: Claim, hypothesis: str, windows: Sequence[Window], embed: Embed) -> Judged | None:
    """The tightest window that is the claim word for word, if there is one."""
    exact = [window for window in windows if evidence.word_for_word(claim.text, window)]
    if not exact:
        return None
    least = min(len(window.text) for window in exact)
    tightest = [window for window in exact if len(window.text) == least]
    if len(tightest) > 1:  # one needs no ranking, which costs two encodings
        tightest = evidence.ranked(hypothesis, tightest, embed)
    return Judged(claim, tightest[0], VERBATIM)


def _asked(claim: str, hypothesis: str, windows: Sequence[Window]) -> Asked:
    """The nearest window's passage is the evidence; its neighbours are read together with it."""
    if not windows:
        return Asked(claim, hypothesis, "", windows)
    passage, near = windows[0].passage, evidence.around(windows[0])
    whole = Window(passage, passage.start, passage.end, passage.text)
    return Asked(claim, hypothesis, headed(whole), windows, headed(near), near)


def held(claim: Claim, found: Verdict) -> Judged:
    """A verdict under the hard rules: the window that carries most of what they leave of it."""
    if found.window is None:
        return Judged(claim, None, 0.0, FAR)
    loud = max(one.supported for one in found.told)
    rated = [_ruled(claim, found, one, loud) for one in found.told]
    best = max(rated, key=lambda one: one.support)
    if best.verdict == "supported" or not found.read:
        return best
    denying = next(one for one in rated if one.window == found.window)
    if denying.verdict != "contradicted":
        return best
    return replace(denying, reason=denying.reason or OTHERWISE)


def _ruled(claim: Claim, found: Verdict, told: Told, loud: float) -> Judged:
    """The claim's verdict by one window: the loudest has all of it, another what it says itself."""
    own = found.supported if told.supported >= loud else min(found.supported, told.supported)
    rule = ruling(claim.text, told.window)
    support = min(own, rule.cap)
    taken = own - support if rule.against else 0.0
    against = found.contradicted + taken if found.read else 0.0
    return Judged(claim, told.window, support, rule.reason, against)


def fitness(case: Case, one: Judged, embed: Embed) -> float:
    """P(the claim's window answers the question); more when the claim named its passage."""
    if one.window is None:
        return 0.0
    ranks = {passage.id: rank for rank, passage in enumerate(case.passages)}
    question = case.question.text
    window = evidence.ranked(question, [one.window], embed)[0]
    fit = relevance(question, window, ranks[window.passage.id])
    return vouched(fit) if window.passage.id in one.claim.named else fit
