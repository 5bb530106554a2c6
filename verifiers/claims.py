"""Each claim of an answer against the passages: supported, contradicted, unsupported, and by what.

First the passages that it names, then the others; word for word, else by verdict.py (a
cross-encoder where one is configured, else words and cosine); held to hard rules (rules.py).
Not here: claims of plain texts (verdict.py), what follows for an answer (support.py, cite.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.pilot.reading import Judge
from pilotfish.types import Case, Passage
from verifiers import evidence
from verifiers.evidence import Embed, Window
from verifiers.keys import Claim
from verifiers.rules import VERBATIM, Ruling, ruling
from verifiers.verdict import CARRIED, Asked, Told, Verdict, headed, over

CONTRADICTED = 0.5  # a claim that is not carried, from here on, is denied
ABOUT = 0.05  # readings this near to each other say the same
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
    rated = [_ruled(claim, found, one) for one in found.told]
    if not found.read:
        return max(rated, key=lambda one: one.support)
    best = max(rated, key=_tight)
    if best.verdict == "supported":
        return best
    denying = next(one for one in rated if one.window == found.window)
    if denying.verdict != "contradicted":
        return best
    denying = _nearest(zip(rated, found.told, strict=True), denying)
    return replace(denying, reason=denying.reason or OTHERWISE)


def _nearest(rated: Iterable[tuple[Judged, Told]], loudest: Judged) -> Judged:
    """Of the windows that deny by themselves, the one most like the claim: a sentence on something
    else is easily taken for a denial, and shows nobody what is wrong.
    """
    denying = [one for one, told in rated
               if one.verdict == "contradicted" and told.contradicted > told.supported]  # fmt: skip
    inner = [one for one in denying if not any(_holds(one, other) for other in denying)]
    return max(inner, key=_likeness, default=loudest)


def _holds(outer: Judged, inner: Judged) -> bool:
    """Whether the one's window has the other's within it."""
    if outer.window is None or inner.window is None:
        return False
    return _within(inner.window, outer.window)


def _likeness(one: Judged) -> float:
    return one.window.overlap + one.window.cosine if one.window else 0.0


def _tight(one: Judged) -> tuple[float, int]:
    """Among windows that carry about as much, the shorter."""
    return round(one.support, 1), -len(one.window.text if one.window else "")


def _ruled(claim: Claim, found: Verdict, told: Told) -> Judged:
    """The claim's verdict by one window: the loudest has all of it, another what it says itself."""
    loud = max(one.supported for one in found.told)
    own = found.supported if told.supported >= loud else min(found.supported, told.supported)
    rule = _rule(claim.text, found, told)
    support = min(own, rule.cap)
    taken = own - support if rule.against else 0.0
    against = found.contradicted + taken if found.read else 0.0
    return Judged(claim, told.window, support, rule.reason, against)


def _rule(claim: str, found: Verdict, told: Told) -> Ruling:
    """The hard rule over the window, or over the part of it that carries as much by itself.

    A sentence that has another number is not mended by its neighbour, which has the claim's number
    for something else.
    """
    rule = ruling(claim, told.window)
    if rule.reason or not found.read:
        return rule
    least = told.supported - ABOUT
    parts = (one.window for one in found.told if one.supported >= least)
    inner = (ruling(claim, part) for part in parts if _within(part, told.window))
    return next((one for one in inner if one.against), rule)


def _within(part: Window, whole: Window) -> bool:
    same = part.passage.id == whole.passage.id and part.text != whole.text
    return same and whole.start <= part.start and part.end <= whole.end
