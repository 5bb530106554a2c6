"""Does a text carry a claim? P(supported), P(contradicted), P(unsupported) for each pair.

SummaC's matrix (Laban et al. 2022, arXiv 2111.09525): the claim is laid against single sentences of
the evidence as well as against its nearest sentences together, and the best of them counts.
Numbers, names and negation are compared by rule beside the model; a small fitted judge weighs all
of it (weights.json). Without a cross-encoder the words alone decide: the baseline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.pilot.reading import Judge, Pair, Reading
from models.premise import premise
from pilotfish.types import Passage
from verifiers import evidence
from verifiers.evidence import Embed, Window
from verifiers.weights import judge, softmax

SINGLE = 3  # sentences of the evidence that are judged by themselves
AT_ONCE = 64  # claims whose pairs go to the model together


@dataclass(frozen=True, slots=True)
class Verdict:
    """Probabilities that sum to 1, the window that speaks loudest, and what was seen."""

    supported: float
    contradicted: float
    unsupported: float
    window: Window | None
    features: Mapping[str, float]


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
            ranked = [self.windows(claim, text) for claim, text in some]
            readings = self._readings(some, ranked)
            found += [
                verdict(pair, windows, read, self.fitted)
                for pair, windows, read in zip(some, ranked, readings, strict=True)
            ]
        return found

    def windows(self, claim: str, text: str) -> list[Window]:
        """The evidence's windows nearest to the claim, best first."""
        passage = Passage(0, text, "", 0, len(text))
        return evidence.ranked(claim, list(evidence.windows(passage)), self.embed)

    def _readings(
        self, pairs: Sequence[Pair], ranked: Sequence[Sequence[Window]]
    ) -> list[list[Reading]]:
        """For each pair a reading of its premise, then of its nearest windows."""
        if self.model is None:
            return [[] for _ in pairs]
        asked = [
            [(claim, premise(claim, text)), *((claim, w.text) for w in windows[:SINGLE])]
            for (claim, text), windows in zip(pairs, ranked, strict=True)
        ]
        answers = iter(self.model([pair for some in asked for pair in some]))
        return [[next(answers) for _ in some] for some in asked]


def verdict(
    pair: Pair, windows: Sequence[Window], readings: Sequence[Reading], fitted: bool = True
) -> Verdict:
    """The fitted judge over what was seen of one pair, or the model's own best reading."""
    if not windows:
        return Verdict(0.0, 0.0, 1.0, None, {})
    seen = features(pair, windows, readings)
    if readings and not fitted:
        loudest = max(readings, key=lambda one: one.supported)
        told = (loudest.supported, loudest.contradicted, loudest.unsupported)
        return Verdict(*told, windows[0], seen)
    if readings:
        supported, contradicted, unsupported = softmax("verdict")(seen)
        return Verdict(supported, contradicted, unsupported, windows[0], seen)
    supported = judge("claim")({name: seen[name] for name in judge("claim").weights})
    against = 0.7 if seen["negation"] or seen["numbers"] else 0.2
    rest = 1.0 - supported
    return Verdict(supported, rest * against, rest * (1.0 - against), windows[0], seen)


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
    loudest = max(single, key=lambda one: one.supported - one.contradicted)
    return {
        "near for": _logit(near.supported),
        "near against": _logit(near.contradicted),
        "near relevance": near.relevance,
        "single for": _logit(loudest.supported),
        "single against": _logit(max(one.contradicted for one in single)),
    }


def _whole(text: str) -> Window:
    return Window(Passage(0, text, "", 0, len(text)), 0, len(text), text)


def _logit(probability: float) -> float:
    kept = min(max(probability, 1e-4), 1.0 - 1e-4)
    return math.log(kept / (1.0 - kept))
