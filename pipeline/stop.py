"""The stop score: P(an answer is right), having read the prompt, it, and the answers before it.

FrugalGPT's scorer (arXiv 2305.05176) as a logistic on frozen embeddings of prompt and answer and on
plain traits of both. The same judges say how likely the next system is right, given what was
read: AutoMix's "hopeless" (2310.12963) without a threshold. Not here: when to stop (rules.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.automix import Verify
from pipeline.hardness import told
from pipeline.logistic import Logistic, Matrix, fitted, probability
from pipeline.traits import answer_traits, prompt_traits
from pipeline.view import Chain, Mask

STRENGTH = 3.0  # of the penalty; chosen by cross-validation, benchmarks/routing.py
FEWEST = 5  # outcomes, below which there is no judge
Embed = Callable[[Sequence[str]], NDArray[Any]]
Texts = Sequence[Sequence[str | None]]  # (n, K)


@dataclass(frozen=True, slots=True)
class Read:
    """A prompt with the answers read so far, the last one last."""

    prompt: str
    texts: tuple[str, ...]

    def traits(self) -> dict[str, float]:
        """Of the prompt, and of the last answer beside the earlier ones."""
        *earlier, last = self.texts
        return prompt_traits(self.prompt) | answer_traits(self.prompt, last, earlier)


def vectors_of(read: Sequence[Read], embed: Embed) -> Matrix:
    """The prompt's embedding and the last answer's, side by side: (n, 2 x dimension)."""
    both = [embed([one.prompt for one in read]), embed([one.texts[-1] for one in read])]
    return np.concatenate(both, axis=1).astype(np.float64)


def judged(judge: Logistic, read: Sequence[Read], vectors: Matrix) -> Matrix:
    """P(right) of each."""
    return probability(judge.odds([one.traits() for one in read], vectors))


def fit_stop(
    table: Sequence[Mapping[str, float]], vectors: Matrix, right: Matrix,
    strength: float = STRENGTH,
) -> Logistic:  # fmt: skip
    """A judge of traits and vectors (n, 2 x dimension); right: 0 to 1."""
    return fitted(table, vectors, right, strength)


@dataclass(frozen=True)
class Readings:
    """What the stop judges read of a prefix: traits and vectors of the rows that have its texts."""

    rows: Mask
    table: list[Mapping[str, float]]
    vectors: Matrix
    read: list[Read]

    @classmethod
    def of(cls, prompts: Sequence[str], texts: Texts, prefix: Chain, embed: Embed) -> Readings:
        rows = np.array([row[prefix[-1]] is not None for row in texts], bool)
        read = [
            Read(prompt, tuple(t for k in prefix if (t := said[k]) is not None))
            for prompt, said, there in zip(prompts, texts, rows, strict=True)
            if there
        ]
        return cls(rows, [one.traits() for one in read], vectors_of(read, embed), read)

    def fit(self, right: Matrix, train: Mask) -> Logistic | None:
        """A judge of the target's outcomes (n,), from the rows in `train`; None: too few."""
        use = (train & ~np.isnan(right))[self.rows]
        if use.sum() < FEWEST:
            return None
        table = [row for row, wanted in zip(self.table, use, strict=True) if wanted]
        return fit_stop(table, self.vectors[use], right[self.rows][use])

    def judge(self, judge: Logistic, rows: Mask, fallback: Matrix) -> Matrix:
        """P(right) of the rows (n,); `fallback` where there is no text."""
        found = fallback.copy()
        use = rows[self.rows]
        places = np.flatnonzero(self.rows)[use]
        if len(places):
            some = [one for one, wanted in zip(self.read, use, strict=True) if wanted]
            found[places] = judged(judge, some, self.vectors[use])
        return found


def because(judge: Logistic, read: Read, vector: Matrix) -> str:
    """The features that speak most for and against the answer."""
    traits = read.traits()
    return told(judge.parts(traits, vector), traits)


def support_of(prompts: Sequence[str], texts: Sequence[str | None], verify: Verify) -> Matrix:
    """The verifier's score of each answer; 0 where there is none."""
    there = [
        (prompt, text) for prompt, text in zip(prompts, texts, strict=True) if text is not None
    ]
    scores = iter(verify(there))
    return np.array([0.0 if text is None else next(scores) for text in texts], np.float64)
