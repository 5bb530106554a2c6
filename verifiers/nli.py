"""What one text says of another: (supported, contradicted, unsupported), summing to 1.

By the cross-encoder, or by the first judge's rules where there is none. The sampling checks take
either. Not here: the checks (selfcheck.py, entropy.py, contrast.py).
"""

from __future__ import annotations

from collections.abc import Callable

from models.pilot.reading import Judge
from pilotfish.types import Case, Passage, Question
from verifiers.evidence import Embed
from verifiers.keys import Claim
from verifiers.support import judged
from verifiers.verdict import Verdicts

Verdict = tuple[float, float, float]
Nli = Callable[[str, str], Verdict]  # (premise, hypothesis)


def by_model(judge: Judge, embed: Embed) -> Nli:
    """The cross-encoder's fitted verdict of the hypothesis as a claim over the premise."""
    look = Verdicts(embed, judge)

    def verdict(premise: str, hypothesis: str) -> Verdict:
        (found,) = look([(hypothesis, premise)])
        return found.supported, found.contradicted, found.unsupported

    return verdict


def by_rules(embed: Embed) -> Nli:
    """Shared words and cosine; a number or a negation that differs contradicts."""

    def verdict(premise: str, hypothesis: str) -> Verdict:
        if not premise.strip() or not hypothesis.strip():
            return 0.0, 0.0, 1.0
        passage = Passage(0, premise, "", 0, len(premise))
        claim = Claim(0, len(hypothesis), hypothesis)
        found = judged(claim, Case(Question(""), (passage,)), embed)
        rest = 1.0 - found.support
        differs = found.window is not None and bool(found.reason)
        return (found.support, rest, 0.0) if differs else (found.support, 0.0, rest)

    return verdict
