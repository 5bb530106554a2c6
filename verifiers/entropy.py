"""Discrete semantic entropy: how many different things the model says when asked again.

Farquhar et al., Nature 630 (2024); Kuhn et al., ICLR 2023 (arXiv 2302.09664): answers that entail
each other both ways are one meaning; the entropy of the meanings' shares, here from counts alone,
since a hosted model gives no probabilities. An answer whose meaning has less than half of all
answers is withheld. Length alone can rival it: the mean length is in the notes. Buys one call a
sample; the same samples as selfcheck.py's are paid once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pilotfish.types import Case
from verifiers.nli import Nli, Verdict
from verifiers.sampling import Samples, resampled


@dataclass(frozen=True, slots=True)
class Entropy:
    """`samples`: by a model's name, LLM steps with sample numbers.

    least: share of all answers that must mean the same.
    """

    samples: Samples
    nli: Nli
    least: float = 0.5
    free: tuple[str, ...] = ("extract", "sentence")
    name: str = "entropy"

    def __call__(self, case: Case, /) -> Case:
        case, texts = resampled(case, self.samples, self.free)
        answer = case.answer
        if answer is None or not texts:
            return case
        every = [answer.text, *texts]
        found = meanings([f"{case.question.text} {text}" for text in every], self.nli)
        share = found.count(found[0]) / len(found)
        notes = {
            "entropy": round(entropy(found), 4),
            "meanings": found,
            "share": round(share, 3),
            "words": round(sum(len(text.split()) for text in every) / len(every), 1),
        }
        if share >= self.least:
            return replace(case, notes=notes)
        withheld = replace(answer, abstained=True, citations=())
        return replace(case, answer=withheld, notes=notes)


def meanings(texts: Sequence[str], nli: Nli) -> list[int]:
    """The number of each text's meaning, counted from 0 in order of appearance.

    A text belongs to the first meaning whose first text it entails and is entailed by.
    """
    firsts: list[str] = []
    found: list[int] = []
    for text in texts:
        same = (n for n, first in enumerate(firsts) if entail_each_other(text, first, nli))
        number = next(same, len(firsts))
        if number == len(firsts):
            firsts.append(text)
        found.append(number)
    return found


def entail_each_other(one: str, other: str, nli: Nli) -> bool:
    """Whether each carries the other more than anything else."""
    if " ".join(one.split()).lower() == " ".join(other.split()).lower():
        return True
    return _entails(nli(one, other)) and _entails(nli(other, one))


def _entails(verdict: Verdict) -> bool:
    return verdict[0] > max(verdict[1:])


def entropy(found: Sequence[int]) -> float:
    """Of the shares of the meanings, in nats."""
    shares = [found.count(number) / len(found) for number in set(found)]
    return -sum(share * math.log(share) for share in shares)
