"""What the documents say of one side of an entity: KnowledGPT's entity-aspect texts (2308.11761).

A personal knowledge base is the collection itself: descriptions are an entity's edges, triples its
graph, and an aspect is the passage that names the entity and says what is asked of it. It is looked
for when a plan asks for a relation that no graph has, so that it goes with its document. Not here:
the functions (functions.py), reading an answer out of it (pipeline/plan_tier.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotfish.step import Step, run
from pilotfish.text import CJK, sentences
from pilotfish.types import Case, Passage, Question, Scope
from retrievers.choose import likeness
from retrievers.graph.features import Embed
from retrievers.graph.link import plain

KEPT = 3  # passages of one entity's aspect
LEAST = 0.35  # likeness of a sentence and the aspect's name


@dataclass(frozen=True, slots=True)
class Aspects:
    """`find`: a retriever of passages of text."""

    find: Step
    embed: Embed

    def __call__(
        self, entity: str, aspects: Sequence[str], where: str | None = None
    ) -> tuple[Passage, ...]:
        """Passages that name the entity whole, those first that say most of the aspect."""
        scope = Scope(kind="text", where=where)
        asked = Case(Question(" ".join((entity, *aspects)), scope=scope))
        naming = [p for p in run(self.find, asked).passages if names(p.text, entity)]
        scored = [(self._said(p.text, entity, aspects), p) for p in naming]
        kept = sorted((one for one in scored if one[0] >= LEAST), key=lambda one: -one[0])
        return tuple(passage for _, passage in kept[:KEPT])

    def _said(self, text: str, entity: str, aspects: Sequence[str]) -> float:
        """How like the aspect the sentences from the one that names the entity on are."""
        said = [text[start:end] for start, end in sentences(text)]
        first = next((at for at, one in enumerate(said) if names(one, entity)), 0)
        alike = likeness(said[first:], list(aspects), self.embed)
        return float(alike.max()) if alike.size else 0.0


def names(text: str, entity: str) -> bool:
    """Whether a text has all of an entity's name, as words; where words have no blanks, at all."""
    own = plain(entity)
    if CJK.search(entity):
        return bool(own) and own in plain(text)
    return bool(own) and f" {own} " in f" {plain(text)} "
