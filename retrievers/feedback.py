"""Keywords by pseudo-relevance feedback: what the first passages say often and others do not.

Counts in the first passages of a search times how rare a term is (after Rocchio, 1971); the
question goes into a second search with the best of them. Not here: searches.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from corpus.tokens import tokens
from pilotfish.step import Step, run
from pilotfish.types import Case, Hint

Rarity = Callable[[Sequence[str]], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Feedback:
    """`first` finds the `read` passages whose `terms` best terms `second` searches for too."""

    first: Step
    second: Step
    rarity: Rarity
    read: int = 5
    terms: int = 8
    weight: int = 2  # how often the question itself is repeated beside them
    name: str = "feedback"

    def __call__(self, case: Case, /) -> Case:
        done = run(self.first, replace(case, passages=()))
        extra = self.keywords(case.question.text, [p.text for p in done.passages[: self.read]])
        asked = replace(case, trace=done.trace)
        if extra:
            text = " ".join((*[case.question.text] * self.weight, *extra))
            asked = replace(asked, hints=(*case.hints, Hint("query", text)))
        found = run(self.second, asked)
        notes = {"keywords": list(extra)}
        return replace(case, passages=found.passages, trace=found.trace, notes=notes)

    def keywords(self, question: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Terms by how much likelier they are there than anywhere, without the question's own."""
        own = set(tokens(question))
        counts = Counter(token for text in texts for token in tokens(text) if token not in own)
        counts = Counter({term: n for term, n in counts.items() if len(term) > 2})
        rare = self.rarity(list(counts))
        scores = {term: n * rare[term] + math.log1p(n) for term, n in counts.items()}
        best = sorted(scores, key=lambda term: (-scores[term], term))[: self.terms]
        return tuple(best)
