"""Keywords by feedback: from the first passages, without the question's own words."""

from __future__ import annotations

from collections.abc import Sequence

from pilotfish.types import Case, Passage, Question
from retrievers.bm25 import queries
from retrievers.feedback import Feedback


def rarity(terms: Sequence[str]) -> dict[str, float]:
    return {term: 0.0 if term == "common" else 1.0 for term in terms}


def first(case: Case) -> Case:
    texts = ["whale common common common harpoon", "whale harpoon ahab"]
    found = tuple(Passage(n, text, "d", 0, len(text)) for n, text in enumerate(texts))
    return Case(case.question, passages=found)


def test_the_second_search_has_the_question_and_what_the_first_passages_say() -> None:
    asked: list[str] = []

    def second(case: Case) -> Case:
        asked.extend(queries(case))
        return Case(case.question, passages=first(case).passages[:1])

    done = Feedback(first, second, rarity, terms=2)(Case(Question("white whale")))
    assert asked == ["white whale", "white whale white whale harpoon ahab"]
    assert done.notes == {"keywords": ["harpoon", "ahab"]} and not done.hints
    assert len(done.passages) == 1
