"""Texts that say one side of an entity: named whole, the aspect's own words first."""

from __future__ import annotations

from pilotfish.types import Case, Passage
from retrievers.kb.aspects import Aspects
from tests.retrievers.graph.family import words_apart

TEXTS = (
    "Bo Berg was born in Oslo. He plays the violin.",
    "Bo Bergen has a green hat.",
    "The hat of Bo Berg is green. It was made in Rome.",
    "A hat is worn on the head.",
)


def test_the_passage_that_says_the_aspect_of_the_entity_comes_alone() -> None:
    def find(case: Case, /) -> Case:
        assert case.question.text == "Bo Berg hat headgear" and case.question.scope.kind == "text"
        found = tuple(Passage(at, text, "d", 0, len(text)) for at, text in enumerate(TEXTS))
        return Case(case.question, found)

    assert [p.id for p in Aspects(find, words_apart)("Bo Berg", ["hat", "headgear"])] == [2]
