"""A rationale by extraction: the sentences that speak of the question, in their order.

LM-guided CoT (arXiv 2404.03414) lets a small model write the rationale that the large one answers
from. Here nothing is written: the sentences that share most of the question's rare words are named
as the way to think, so that the rationale cannot be wrong about the documents. Off by default: it
repeats what the prompt has. Not here: a model that writes one (cards.py may name it as a writer).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

from corpus.tokens import tokens
from pilotfish.text import sentences
from pilotfish.types import Case, Hint, Passage

RATIONALE = "rationale"


@dataclass(frozen=True, slots=True)
class Rationale:
    """Adds up to `most` sentences as one hint, none where none shares a word."""

    most: int = 3
    name: str = "rationale"

    def __call__(self, case: Case, /) -> Case:
        texts = [p for p in case.passages if p.kind == "text"]
        chosen = because(case.question.text, texts, self.most)
        if not chosen:
            return replace(case, notes={"why": "no sentence speaks of the question"})
        hint = Hint(RATIONALE, "think along these sentences: " + " Then: ".join(chosen))
        return replace(case, hints=(*case.hints, hint), notes={"sentences": len(chosen)})


def because(question: str, passages: Sequence[Passage], most: int) -> list[str]:
    """The sentences, in their order."""
    every = [p.text[a:b].strip() for p in passages for a, b in sentences(p.text)]
    words = [set(tokens(one)) for one in every]
    held = Counter(token for some in words for token in some)
    asked = set(tokens(question))
    worth = [sum(log(1 + len(every) / held[t]) for t in some & asked) for some in words]
    best = sorted(range(len(every)), key=lambda at: (-worth[at], at))[:most]
    return [every[at] for at in sorted(best) if worth[at] > 0]
