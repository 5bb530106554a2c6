"""Knowledge cards: small domain sources offer what the LLM may not know; a selector picks.

Knowledge Card (arXiv 2305.09955) and BLADE (2403.18365) for a black box: a glossary, another
collection, small domain models each offer texts. Bottom-up all of them do, and what is near the
question stays; top-down they are asked only where evidence is thin. What a model wrote must be
carried by the passages (the support judge), and is labelled so. Cards are hints: they steer, and
are never cited. Not here: the sources themselves (pipeline/cards.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pilotfish.errors import BudgetExceeded, ModelError
from pilotfish.step import Step, run
from pilotfish.types import Case, Hint

CARD = "card"
WRITTEN = "written by a model, unchecked beyond the passages"
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Carried = Callable[[str, Case], float]  # P(the passages carry the text)


@dataclass(frozen=True, slots=True)
class Offer:
    """A text, and the ids of the passages that it quotes; `written`: by a model."""

    text: str
    read: tuple[int, ...] = ()
    written: bool = False


Offers = Callable[[Case], Sequence[Offer]]


@dataclass(frozen=True, slots=True)
class Cards:
    """`sources`: name -> what it offers for a case; `writers`: name -> a step whose answer is its
    offer, and costs what it costs. thin: asked first, top-down; None: bottom-up.

    near: cosine with the question that a card needs; least: P(carried) that a written one needs.
    """

    sources: Mapping[str, Offers]
    embed: Embed
    writers: Mapping[str, Step]
    carried: Carried
    thin: Callable[[Case], bool] | None = None
    near: float = 0.3
    least: float = 0.5
    k: int = 4
    name: str = "cards"

    def __call__(self, case: Case, /) -> Case:
        if self.thin is not None and not self.thin(case):
            return replace(case, notes={"why": "the evidence is not thin"})
        offered = [(name, one) for name, offers in self.sources.items() for one in offers(case)]
        for name, writer in self.writers.items():
            try:
                done = run(writer, replace(case, answer=None))
            except (ModelError, BudgetExceeded) as error:  # a card may only help
                case = replace(case, trace=error.trace)
                continue
            case = replace(case, trace=done.trace)
            said = done.answer.text.strip() if done.answer else ""
            if said and self.carried(said, case) >= self.least:
                offered.append((name, Offer(said, written=True)))
        chosen = self._chosen(case.question.text, offered)
        hints = tuple(Hint(CARD, _told(one, name), score, one.read)
                      for name, one, score in chosen)  # fmt: skip
        notes = {"offered": len(offered), "cards": [name for name, *_ in chosen]}
        return replace(case, hints=(*case.hints, *hints), notes=notes)

    def _chosen(
        self, question: str, offered: Sequence[tuple[str, Offer]]
    ) -> list[tuple[str, Offer, float]]:
        """The nearest cards, best first, each text once."""
        distinct = {one.text: (name, one) for name, one in reversed(offered)}
        if not distinct:
            return []
        vectors = self.embed([question, *distinct])
        cosines = (vectors[1:] @ vectors[0]).tolist()
        rated = [(*one, round(float(score), 4))
                 for one, score in zip(distinct.values(), cosines, strict=True)]  # fmt: skip
        kept = [one for one in rated if one[2] >= self.near]
        return sorted(kept, key=lambda one: -one[2])[: self.k]


def _told(one: Offer, name: str) -> str:
    plain = " ".join(one.text.split())
    return f"{plain} ({name}, {WRITTEN})" if one.written else f"{plain} ({name})"
