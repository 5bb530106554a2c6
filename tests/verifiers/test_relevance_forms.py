"""Forms of questions: yes or no, and those that no single passage answers."""

from __future__ import annotations

import pytest

from verifiers.relevance import composed, polar


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Can opened software be returned?", True), ("is greenland part of europe", True),
        ("Which goods can be returned?", False), ("Isaac Newton was born when?", False),
        ("When is the pump serviced?", False),
    ],
)  # fmt: skip
def test_a_question_that_wants_yes_or_no_is_told_from_one_that_wants_a_value(
    question: str, asks: bool
) -> None:
    assert polar(question) is asks


@pytest.mark.parametrize(
    "question",
    [
        "When did the director of film The Corpse Vanishes die?",
        "Who is the father of the director of The Barbarian?",
        "What nationality is the performer of song Ask Your Heart?",
        "Who is Caroline Kennedy's maternal grandmother?",
        "Which film came out first, Waltz Of Love or Old Man?",
        "Are Goddard High School and Cosgrove High School both in Kansas?",
        "Is the TL-40 heavier than the TL-45?",
    ],
)
def test_a_question_about_what_it_only_describes_or_compares_needs_more_than_one_passage(
    question: str,
) -> None:
    assert composed(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who is the author of Dune?", "who is the original singer of just when i needed you most",
        "What is the capital of Sweden?", "How long is the warranty on the TL-45?",
        "When was the first tidelamp sold?",
        "What was the share price in May?", "What can be paid with other than cash?",
        "who designed the earth day flag in 1969",
    ],
)  # fmt: skip
def test_a_question_that_names_what_it_asks_about_is_direct(question: str) -> None:
    assert not composed(question)
