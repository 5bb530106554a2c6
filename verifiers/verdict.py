"""Does a text carry a claim? P(supported), P(contradicted), P(unsupported) for each claim.

SummaC's matrix (Laban et al. 2022, arXiv 2111.09525): the claim is laid against single sentences of
the evidence as well as against its nearest sentences together, and the best of them counts.
Numbers, names and negation are compared by rule beside the model; a small fitted judge weighs all
of it (weights.json). Without a cross-encoder rules.py decides. Not here: which passages a claim of
an answer is laid against (claims.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.pilot.chosen import is_shipped, of_claims
from models.pilot.reading import Judge, Pair, Reading, shown
from models.premise import premise
from pilotfish.text import is_cjk
from pilotfish.types import Passage
from verifiers import evidence
from verifiers.evidence import Embed, Window
from verifiers.rules import by_words
from verifiers.weights import logit, three

SINGLE = 3  # sentences of the evidence that are judged by themselves
AT_ONCE = 64  # claims whose pairs go to the model together
CARRIED = 0.5  # a claim below this is not supported
DIFFERS, SILENT = 0.7, 0.2  # by rules: share of contradiction in what is not supported


@dataclass(frozen=True, slots=True)
class Asked:
    """A claim, and as the model reads it; the evidence as a whole, its windows, nearest first, and
    what is read together: `near`, which is `around` with its headings where that may be cited.
    """

    claim: str
    read: str
    text: str
    windows: Sequence[Window]
    near: str = ""
    around: Window | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What one window says of a claim."""

    window: Window
    supported: float
    contradicted: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Probabilities that sum to 1, the window that speaks loudest, and what was seen.

    told: what each window that may be cited says by itself; read: by a model, not by rules.
    """

    supported: float
    contradicted: float
    unsupported: float
    window: Window | None
    features: Mapping[str, float]
    told: Sequence[Told] = ()
    read: bool = False


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Judges (claim, evidence) pairs.

    model: None: by shared words, cosine and rules only. fitted: whether the model is the one that
    the judge over it was fitted to; another one speaks for itself.
    """

    embed: Embed
    model: Judge | None = None
    fitted: bool = True

    def __call__(self, pairs: Sequence[Pair]) -> list[Verdict]:
        """A verdict of each pair, in order; empty evidence carries nothing."""
        found: list[Verdict] = []
        for start in range(0, len(pairs), AT_ONCE):
            some = pairs[start : start + AT_ONCE]
            found += self.of([self._asked(claim, text) for claim, text in some])
        return found

    def of(self, asked: Sequence[Asked]) -> list[Verdict]:
        """A verdict of each; the model is called once for all."""
        readings = self._readings(asked)
        return [verdict(a, r, self.fitted) for a, r in zip(asked, readings, strict=True)]

    def _asked(self, claim: str, text: str) -> Asked:
        passage = Passage(0, text, "", 0, len(text))
        windows = evidence.ranked(claim, list(evidence.windows(passage)), self.embed)
        near = premise(claim, text) if self.model else ""
        return Asked(claim, claim, text, windows, near)

    def _readings(self, asked: Sequence[Asked]) -> list[list[Reading]]:
        """For each claim a reading of what is near, then of its nearest windows."""
        if self.model is None:
            return [[] for _ in asked]
        pairs = [self._pairs(one) for one in asked]
        every = [pair for some in pairs for pair in some]
        answers = iter(self.model(every) if every else [])
        return [[next(answers) for _ in some] for some in pairs]

    def _pairs(self, one: Asked) -> list[Pair]:
        """No pair where the model cannot read the claim: the shipped one knows no Chinese."""
        if not one.windows or (self.fitted and is_cjk(one.claim)):
            return []
        single = [(one.read, headed(window)) for window in one.windows[:SINGLE]]
        return [(one.read, one.near), *single]


def over(embed: Embed, judge: Judge | None) -> Verdicts:
    """Verdicts by what speaks of claims in `judge`: a model in the pilot's place is not fitted to,
    and a reranker over it is not asked.
    """
    model = of_claims(judge)
    return Verdicts(embed, model, is_shipped(model))


def headed(window: Window) -> str:
    """A window as the model reads it: a bare sentence often says only "it"."""
    return shown(" › ".join(evidence.headings(window.passage)), window.text)


def verdict(asked: Asked, readings: Sequence[Reading], fitted: bool = True) -> Verdict:
    """The fitted judge over what was seen of one pair, or the model's own best reading."""
    windows = asked.windows
    if not windows:
        return Verdict(0.0, 0.0, 1.0, None, {})
    seen = features((asked.claim, asked.text), windows, readings)
    if not readings:
        return _by_words(asked, seen)
    if fitted:
        shares = three("verdict", seen)
    else:
        one = loudest(readings)
        shares = one.supported, one.contradicted, one.unsupported
    told = _citable(asked, readings)
    return Verdict(*shares, _loudest(told, shares[0] >= shares[1]), seen, told, read=True)


def _by_words(asked: Asked, seen: Mapping[str, float]) -> Verdict:
    told = [Told(*one) for one in by_words(asked.claim, asked.windows)]
    best = max(told, key=lambda one: one.supported)
    against = DIFFERS if seen["negation"] or seen["numbers"] else SILENT
    rest = 1.0 - best.supported
    shares = best.supported, rest * against, rest * (1.0 - against)
    return Verdict(*shares, best.window, seen, told)


def loudest(readings: Sequence[Reading]) -> Reading:
    """What supports counts first: a sentence on something else is easily taken for a denial."""
    best = max(readings, key=lambda one: one.supported)
    if best.supported >= CARRIED:
        return best
    return max(readings, key=lambda one: max(one.supported, one.contradicted))


def _citable(asked: Asked, readings: Sequence[Reading]) -> list[Told]:
    """Windows by themselves; what is read together only where no window carries alone."""
    single = [Told(window, one.supported, one.contradicted)
              for window, one in zip(asked.windows, readings[1:], strict=False)]  # fmt: skip
    if asked.around is None or any(one.supported >= CARRIED for one in single):
        return single
    return [*single, Told(asked.around, readings[0].supported, readings[0].contradicted)]


def _loudest(told: Sequence[Told], supports: bool) -> Window:
    """Of those that say about as much, the shorter."""

    def key(one: Told) -> tuple[float, int]:
        return round(one.supported if supports else one.contradicted, 1), -len(one.window.text)

    return max(told, key=key).window


def features(
    pair: Pair, windows: Sequence[Window], readings: Sequence[Reading]
) -> dict[str, float]:
    """What the judge sees: plain comparisons with the best window, and the model's readings."""
    claim, text = pair
    best = windows[0]
    seen = {
        "overlap": best.overlap,
        "cosine": best.cosine,
        "whole": evidence.overlap(evidence.content(claim), _whole(text)),
        "names": evidence.missing_names(claim, text),
        "numbers": float(min(2, evidence.missing_numbers(claim, text))),
        "negation": float(evidence.negation_differs(claim, best.text)),
        "words": math.log1p(len(claim.split())),
        "evidence": math.log1p(len(text.split())),
    }
    if readings:
        seen |= _model(readings)
    return seen


def _model(readings: Sequence[Reading]) -> dict[str, float]:
    near, single = readings[0], readings[1:] or readings
    best = max(single, key=lambda one: one.supported - one.contradicted)
    return {
        "near for": logit(near.supported),
        "near against": logit(near.contradicted),
        "denied": max(0.0, logit(near.contradicted)),
        "near relevance": near.relevance,
        "single for": logit(best.supported),
        "single against": logit(max(one.contradicted for one in single)),
    }


def _whole(text: str) -> Window:
    return Window(Passage(0, text, "", 0, len(text)), 0, len(text), text)
