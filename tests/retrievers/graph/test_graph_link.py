"""Which entity a question names: in other writing, in brackets, with a typo, or none."""

from __future__ import annotations

import pytest
from family import family

from retrievers.graph.link import Names, names_of, plain
from retrievers.graph.memory import graph_of


@pytest.fixture(scope="module")
def names() -> Names:
    return names_of(family())


def first(names: Names, question: str) -> str | None:
    found = names.mentions(question)
    return names.graph.names[found[0].entity] if found else None


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Who is the spouse of Bo Berg?", "Bo Berg"),
        ("who is the spouse of bo berg", "Bo Berg"),
        ("In which country lies MALMO?", "Malmö"),
        ("Which country is Bergen in?", "Bergen (Norway)"),
        ("Where was Dana Holmm born?", "Dana Holm"),
        ("What is the meaning of life?", None),
        ("", None),
    ],
)
def test_the_entity_is_found_however_it_is_written(
    names: Names, question: str, wanted: str | None
) -> None:
    assert first(names, question) == wanted


def test_the_longest_name_wins() -> None:
    names = names_of(graph_of([(1, "York", "in", "UK"), (2, "New York", "in", "USA")]))
    assert first(names, "Where is New York?") == "New York"


def test_a_word_that_asks_is_no_name_beside_a_written_one() -> None:
    rows = [(1, "Heat", "directed by", "Mann"), (2, "Heat", "has tag", "director")]
    assert first(names_of(graph_of(rows)), "who is the director of Heat") == "Heat"


def test_a_mention_is_exactly_where_it_stands(names: Names) -> None:
    question = "Where was Cleo  Berg born?"
    found = names.mentions(question)[0]
    assert question[found.start : found.end] == "Cleo  Berg"


def test_a_named_topic_may_be_written_another_way(names: Names) -> None:
    graph = names.graph
    for name in ("Bo Berg", "bo_berg", "Bo Bergg"):
        found = names.topic(name)
        assert found is not None and graph.names[found] == "Bo Berg"
    assert names.topic("Nobody At All") is None


def test_of_two_things_of_one_name_the_better_known_is_meant() -> None:
    rows = [(1, "Paris", "in", "Texas"), (2, "PARIS", "in", "France"), (3, "PARIS", "is a", "City")]
    names = names_of(graph_of(rows))
    assert first(names, "where is paris") == "PARIS"


def test_names_are_compared_without_case_accents_and_underscores() -> None:
    assert plain("Bergen_(Norway)") == "bergen norway" and plain("Malmö") == "malmo"
