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
        said = "think along these sentences: " + " Then: ".join(text for text, _ in chosen)
        hint = Hint(RATIONALE, said, read=tuple(dict.fromkeys(i for _, i in chosen)))
        others = [one for one in case.hints if one.kind != RATIONALE]  # of passages of before
        return replace(case, hints=(*others, hint), notes={"sentences": len(chosen)})


def because(question: str, passages: Sequence[Passage], most: int) -> list[tuple[str, int]]:
    """(sentence on one line, its passage), in their order."""
    every = [(" ".join(p.text[a:b].split()), p.id) for p in passages for a, b in sentences(p.text)]
    words = [set(tokens(one)) for one, _ in every]
    held = Counter(token for some in words for token in some)
    asked = set(tokens(question))
    worth = [sum(log(1 + len(every) / held[t]) for t in some & asked) for some in words]
    best = sorted(range(len(every)), key=lambda at: (-worth[at], at))[:most]
    return [every[at] for at in sorted(best) if worth[at] > 0]
