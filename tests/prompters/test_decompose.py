"""Questions are taken apart into the sub-questions that a person would write."""

import pytest

from pilotfish.types import Answer, Case, Flaw, Hint, Question
from prompters.decompose import (
    BRIDGE,
    COMPARISON,
    INTERSECTION,
    KIN,
    Decompose,
    Decomposer,
    filled,
    left_open,
    needs,
    renumbered,
)

SHIPPED = Decomposer.shipped()


@pytest.mark.parametrize(
    ("question", "form", "parts"),
    [
        (
            "When was the director of film Sea of Glass born?", BRIDGE,
            ("Who is the director of the film Sea of Glass?", "When was #1 born?"),
        ),
        (
            "Who was born first, Ann Lee or Bob Ray?", COMPARISON,
            ("When was Ann Lee born?", "When was Bob Ray born?"),
        ),
        (
            "Which film has the director who died later, Sea of Glass or The Mill (1950 Film)?",
            "bridge-comparison",
            (
                "Who is the director of Sea of Glass?",
                "Who is the director of The Mill (1950 Film)?",
                "When did #1 die?", "When did #2 die?",
            ),
        ),
        (
            "Who is the paternal grandmother of Ann Lee?", KIN,
            ("Who is the father of Ann Lee?", "Who is the mother of #1?"),
        ),
        (
            "Which actor starred in both Sea of Glass and The Mill?", INTERSECTION,
            ("Which actor starred in Sea of Glass?", "Which actor starred in The Mill?"),
        ),
    ],
)  # fmt: skip
def test_each_form_is_filled(question: str, form: str, parts: tuple[str, ...]) -> None:
    found = SHIPPED(question)
    assert (found.form, found.subquestions) == (form, parts)
    assert found.hops == len(parts)


def test_a_bridge_inside_a_bridge_is_taken_apart_too() -> None:
    found = SHIPPED("Where was the mother of the director of film Sea of Glass born?")
    assert found.subquestions == (
        "Who is the director of the film Sea of Glass?",
        "Who is the mother of #1?",
        "Where was #2 born?",
    )


def test_a_word_problem_ends_with_its_own_question() -> None:
    found = SHIPPED(
        "Ann has 12 apples. She gives 3 apples to Bob and buys 5 more. She sells each for $2. "
        "How much money does she make?"
    )
    assert found.form == "arithmetic"
    assert found.hops > 1
    assert found.subquestions[-1] == "How much money does she make?"


@pytest.mark.parametrize(
    "question",
    [
        "who wrote the song that was played at the wedding", "How do I reset the device?",
        "Who is the director of Sea of Glass?", "Within how many days may goods be returned?",
        "", "?", "总部位于哪里？", "of of of of",
    ],
)  # fmt: skip
def test_single_questions_are_left_as_they_are(question: str) -> None:
    found = SHIPPED(question)
    assert found.single
    assert found.subquestions == (question,)


def test_every_number_points_back_and_no_two_spans_overlap() -> None:
    for question in (
        "Do both films Sea of Glass and The Mill have the directors from the same country?",
        "What is the elevation of the city where the head office of Acme is located?",
        "Are Ann Lee, Bob Ray and Cy both or neither of the same country?",
    ):
        for place, part in enumerate(SHIPPED(question).subquestions):
            assert all(1 <= number <= place for number in needs(part))


def test_the_rule_baseline_needs_no_weights() -> None:
    found = Decomposer()("Who is older, Ann Lee or Bob Ray?")
    assert found.subquestions == ("When was Ann Lee born?", "When was Bob Ray born?")
    assert Decomposer()("How do I reset it?").single


def test_the_step_writes_what_can_be_searched_at_once() -> None:
    case = Case(Question("When was the director of film Sea of Glass born?"))
    done = Decompose(SHIPPED)(case)
    assert [hint.text for hint in done.hints] == ["Who is the director of the film Sea of Glass?"]
    assert {hint.kind for hint in done.hints} == {"query"}
    again = Decompose(SHIPPED)(done)
    assert again.hints == done.hints  # it says nothing twice


def test_a_single_question_gets_no_hint() -> None:
    given = (Hint("card", "x"),)
    done = Decompose(SHIPPED)(Case(Question("How do I reset it?"), hints=given))
    assert done.hints == given


def test_what_a_first_attempt_left_unsupported_is_looked_for() -> None:
    text = "Ann Lee directed it. She was born in Oslo."
    flaw = Flaw("unsupported", 21, len(text))
    attempt = Answer(text, flaws=(flaw, Flaw("withheld", 0, len(text))))
    assert left_open(attempt) == ("She was born in Oslo.",)
    done = Decompose(SHIPPED)(Case(Question("Who is it?"), answer=attempt))
    assert [hint.text for hint in done.hints] == ["She was born in Oslo."]


def test_answers_are_filled_in_by_their_numbers() -> None:
    assert filled("When was #1 born, and #10?", {1: "Ann"}) == "When was Ann born, and #10?"
    assert renumbered("Is #1 like #2?", 2) == "Is #3 like #4?"
