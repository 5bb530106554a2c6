"""Drops the sentences of the passages that are of no use for the question: fewer tokens to pay for.

After Provence (arXiv 2501.16214), with the reranker's own reading in place of a head for it. What
is left of a passage are runs of whole sentences, each a Passage with the same id and its own start
and end, so that citations stay exact. Rows of tables and other kinds stay whole or go. Not here:
how likely a sentence holds the answer (odds.py), and who sees the rest (pipeline/narrow.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from models.pilot.reading import Judge, Reading, shown
from pilotfish.types import Case, Passage
from retrievers.odds import RULES, Unit, Weights, features, odds, units

LEAD = 40  # tokens of a sentence that is kept only to say what the next one's pronoun means
_OPENS = re.compile(
    r"(?:He|She|It|They|His|Her|Its|Their|This|That|These|Those|Such|Both|We|Our)\b"
)


@dataclass(frozen=True, slots=True)
class Prune:
    """Keeps the best sentences, in their order, up to `share` of all tokens; at least the best.

    count: tokens of each text. model: asked where weights give its readings a say; reranking has
    read the same pairs. What this step has left is not cut again.
    """

    share: float
    count: Callable[[Sequence[str]], list[int]]
    model: Judge | None = None
    weights: Weights = field(default_factory=lambda: RULES)
    name: str = "prune"

    def __call__(self, case: Case, /) -> Case:
        found = units(case.passages)
        if not found or self.share >= 1 or self._is_done(case):
            return case
        sizes = self.count([unit.text for unit in found])
        kept = picked(found, self._odds(case, found), sizes, self.share * sum(sizes))
        passages = tuple(pieces(case.passages, found, kept))
        left = sum(sizes[number] for number in kept)
        notes = {
            "tokens": sum(sizes), "dropped": sum(sizes) - left,
            "sentences": [len(kept), len(found)], "share": self.share, "kept": _places(passages),
        }  # fmt: skip
        return replace(case, passages=passages, notes=notes)

    def _odds(self, case: Case, found: Sequence[Unit]) -> list[float]:
        question, passages = case.question.text, case.passages
        readings: Sequence[Reading] = ()
        if self.model is not None and (self.weights.get("span") or self.weights.get("relevance")):
            readings = self.model([(question, shown(p.title, p.text)) for p in passages])
        return odds(features(question, passages, found, readings), self.weights)

    def _is_done(self, case: Case) -> bool:
        told = [event.detail for event in case.trace if event.step == self.name]
        here = {"share": self.share, "kept": _places(case.passages)}
        return any(here.items() <= notes.items() for notes in (*told, case.notes))


def picked(
    found: Sequence[Unit], scores: Sequence[float], sizes: Sequence[int], budget: float
) -> set[int]:
    """Numbers of the units that are kept: the best that fit the budget, the very best always.

    Equal sentences are kept once. One that opens with a pronoun brings the sentence before it
    along where that is short and fits too.
    """
    kept: set[int] = set()
    said: set[str] = set()
    used = 0
    for number in sorted(range(len(found)), key=lambda n: (-scores[n], n)):
        cost = sizes[number]
        if number in kept or found[number].text in said or (kept and used + cost > budget):
            continue
        said.add(found[number].text)
        kept.add(number)
        used += cost
        lead = number - 1
        if _leads(found, number) and lead not in kept and sizes[lead] <= min(LEAD, budget - used):
            kept.add(lead)
            used += sizes[lead]
    return kept


def _leads(found: Sequence[Unit], number: int) -> bool:
    """Whether the unit before this one says what its first word means."""
    before = found[number - 1] if number else None
    same = before is not None and before.place == found[number].place
    return same and bool(_OPENS.match(found[number].text))


def pieces(
    passages: Sequence[Passage], found: Sequence[Unit], kept: Collection[int]
) -> Iterator[Passage]:
    """The runs of kept units as passages, in the order of passages and of their text."""
    runs: list[list[int]] = []
    for number in sorted(kept):
        joins = runs and runs[-1][-1] == number - 1
        if joins and found[number].place == found[number - 1].place:
            runs[-1].append(number)
        else:
            runs.append([number])
    for run in runs:
        passage = passages[found[run[0]].place]
        yield _slice(passage, found[run[0]].start, found[run[-1]].end)


def _slice(passage: Passage, start: int, end: int) -> Passage:
    text = passage.text[start:end]
    return replace(passage, text=text, start=passage.start + start, end=passage.start + end)


def _places(passages: Sequence[Passage]) -> list[list[int]]:
    return [[passage.id, passage.start, passage.end] for passage in passages]
