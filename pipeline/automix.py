"""AutoMix's verifier: reads the small system's answer and says how well it is carried.

arXiv 2310.12963. There the small model judges itself in k samples; here any callable of (prompt,
answer) pairs gives a score from 0 to 1, and `lexical` is the one that needs no model. Not here:
the meta-verifiers, which are rules (rules.py: AutoMix, Meta) and are fitted in thresholds.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corpus.tokens import tokens
from pilotfish.text import negated, numbers
from pipeline.traits import LONGEST

Verify = Callable[[Sequence[tuple[str, str]]], Sequence[float]]


def lexical(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """How much of each answer stands in its prompt: words and numbers, less where negation differs.

    The prompt carries the context in reading comprehension; elsewhere this is a weak verifier.
    """
    return [_carried(prompt[:LONGEST], answer[:LONGEST]) for prompt, answer in pairs]


def _carried(prompt: str, answer: str) -> float:
    said, there = set(tokens(answer)), set(tokens(prompt))
    figures, known = set(numbers(answer)), set(numbers(prompt))
    words = len(said & there) / len(said) if said else 0.0
    shares = [words] + ([len(figures & known) / len(figures)] if figures else [])
    score = sum(shares) / len(shares)
    return score * (0.9 if negated(answer) != negated(prompt) else 1.0)
