"""Passages that a question names by their title go first."""

import pytest

from pilotfish.types import Case, Passage, Question
from retrievers.titled import Titled, match, named_first


def passage(number: int, title: str) -> Passage:
    return Passage(number, f"About {title}.", f"d{number}", 0, 5, title=title)


def test_what_is_named_goes_before_what_was_ranked_higher() -> None:
    found = (
        passage(1, "Film directors"),
        passage(2, "The Prairie"),
        passage(3, "The Prairie King"),
    )
    ranked = named_first("Who directed The Prairie King?", found)
    assert [p.id for p in ranked] == [3, 1, 2]  # The Prairie lies inside the longer name


def test_brackets_tell_namesakes_apart() -> None:
    found = (passage(1, "Lola (1961 film)"), passage(2, "Lola"), passage(3, "Lola (1981 film)"))
    ranked = named_first("Who directed Lola (1981 Film)?", found)
    assert ranked[0].id == 3


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Who made the film?", "Film"), ("what is a prairie", "Sea of Glass"),
        ("Is it green or blue?", "Green"), ("?", "Jaws"), ("Who?", ""),
    ],
)  # fmt: skip
def test_common_words_name_nothing(text: str, title: str) -> None:
    assert match(text, title) is None


def test_case_and_marks_do_not_matter() -> None:
    assert match("When was B Reeves eason born?", "B. Reeves Eason") is not None
    assert match("who directed jaws", "Jaws") is not None


def test_without_named_titles_the_order_stays() -> None:
    found = tuple(passage(n, f"T{n} x") for n in range(5))

    def search(case: Case) -> Case:
        return Case(case.question, found, trace=case.trace)

    done = Titled(search, 3)(Case(Question("How do I reset it?")))
    assert [p.id for p in done.passages] == [0, 1, 2]
