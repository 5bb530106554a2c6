"""What one text says of another: (supported, contradicted, unsupported), summing to 1.

By the cross-encoder, or by words under hard rules where there is none. The sampling checks and
`pilotfish eval` take either. Not here: the checks (selfcheck.py, entropy.py, contrast.py).
"""

from __future__ import annotations

from collections.abc import Callable

from models.pilot.chosen import of_claims
from models.pilot.reading import Judge
from pilotfish.types import Case, Passage, Question
from verifiers.claims import judged
from verifiers.evidence import Embed
from verifiers.keys import Claim
from verifiers.rules import ruling
from verifiers.verdict import over

Verdict = tuple[float, float, float]
Nli = Callable[[str, str], Verdict]  # (premise, hypothesis)


def judged_by(judge: Judge | None, embed: Embed) -> Nli:
    """By the cross-encoder where there is one that judges claims."""
    return by_model(judge, embed) if judge and of_claims(judge) else by_rules(embed)


def by_model(judge: Judge, embed: Embed) -> Nli:
    """The cross-encoder's verdict of the hypothesis as a claim over the premise; the shipped one's
    is fitted, another one speaks for itself.
    """
    look = over(embed, judge)

    def verdict(premise: str, hypothesis: str) -> Verdict:
        (found,) = look([(hypothesis, premise)])
        return found.supported, found.contradicted, found.unsupported

    return verdict


def by_rules(embed: Embed) -> Nli:
    """Shared words and cosine; another number, another unit or a negation contradicts."""

    def verdict(premise: str, hypothesis: str) -> Verdict:
        if not premise.strip() or not hypothesis.strip():
            return 0.0, 0.0, 1.0
        passage = Passage(0, premise, "", 0, len(premise))
        claim = Claim(0, len(hypothesis), hypothesis)
        found = judged(claim, Case(Question(""), (passage,)), embed)
        rest = 1.0 - found.support
        against = found.window is not None and ruling(hypothesis, found.window).against
        return (found.support, rest, 0.0) if against else (found.support, 0.0, rest)

    return verdict
