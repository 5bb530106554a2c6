"""What a judge says of one pair of texts, and the shape that every judge has.

A judge has heads; what it has none for it does not know, and whoever asks goes by rules there.
Not here: any model. serve.py is the packaged judge, others.py wraps models by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Head = Literal["relevance", "support", "spans"]
HEADS: frozenset[Head] = frozenset({"relevance", "support", "spans"})
Pair = tuple[str, str]  # (question or claim, passage)


@dataclass(frozen=True, slots=True)
class Reading:
    """One pass over (question or claim, passage).

    relevance: logit that the passage helps to answer. supported, contradicted, unsupported: sum
    to 1; of the first text as a claim. spans: up to a few (start, end, logit) in code points of
    the passage, best first. null: logit of "the answer is not here".
    """

    relevance: float
    supported: float
    contradicted: float
    unsupported: float
    spans: tuple[tuple[int, int, float], ...] = ()
    null: float = 0.0

    @property
    def helps(self) -> float:
        """P(the passage helps to answer)."""
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, self.relevance))))

    @property
    def margin(self) -> float:
        """How far the best span is above "no answer"; far below 0 without any span."""
        return self.spans[0][2] - self.null if self.spans else -30.0


def shown(title: str, text: str) -> str:
    """How a passage is given to a judge: its title, then its text."""
    return f"{title}. {text}" if title else text


Judge = Callable[[Sequence[Pair]], list[Reading]]
NEUTRAL = Reading(0.0, 1 / 3, 1 / 3, 1 / 3)


def neutral(pairs: Sequence[Pair]) -> list[Reading]:
    """The judge that knows nothing: under models by name where no pilot was shipped."""
    return [NEUTRAL] * len(pairs)


def heads_of(judge: Judge) -> frozenset[Head]:
    """What it knows: `judge.knows`; all, where it does not say."""
    if judge is neutral:
        return frozenset()
    return frozenset(getattr(judge, "knows", HEADS))


def having(judge: Judge | None, head: Head) -> Judge | None:
    """The judge for one purpose; None where there is none, or it has no head for that."""
    return judge if judge is not None and head in heads_of(judge) else None


def identity_of(judge: Judge | None) -> str:
    """What tells it from other judges, `judge.identity`: weights or names. Empty: it says nothing.

    A judge that does not say is a "pilot".
    """
    if judge is None or judge is neutral:
        return ""
    return str(getattr(judge, "identity", "pilot"))
