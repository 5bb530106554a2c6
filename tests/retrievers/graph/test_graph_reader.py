"""Questions over a small graph: answers, their edges, counts, and what tuning teaches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from family import EDGES, family, reader

from retrievers.graph import scorer, tune
from retrievers.graph.calibrate import curve
from retrievers.graph.features import features, masked
from retrievers.graph.paths import path_of, walk
from retrievers.graph.reader import GraphReader, ranked
from retrievers.graph.scorer import Lesson
from retrievers.graph.tune import Labelled

LESSONS = [
    Labelled("who are the kids of Anna Berg", "Anna Berg", ("Bo Berg", "Cleo Berg"), ("parent",)),
    Labelled("who are Anna Berg 's kids", "Anna Berg", ("Bo Berg", "Cleo Berg"), ("parent",)),
    Labelled("who did Bo Berg wed", "Bo Berg", ("Dana Holm",), ("spouse",)),
    Labelled("who did Cleo Berg wed", "Cleo Berg", ("Erik Dahl",), ("spouse",)),
    Labelled("what is the home town of Bo Berg", "Bo Berg", ("Oslo",), ("born in",)),
    Labelled("what is the home town of Erik Dahl", "Erik Dahl", ("Oslo",), ("born in",)),
    Labelled("what is the home town of Dana Holm", "Dana Holm", ("Malmö",), ("born in",)),
    Labelled("in which land is the home town of Bo Berg", "Bo Berg", ("Norway",),
             ("born in", "country")),
    Labelled("in which land is the home town of Dana Holm", "Dana Holm", ("Sweden",),
             ("born in", "country")),
]  # fmt: skip


@pytest.fixture(scope="module")
def tuned() -> GraphReader:
    untuned = reader()
    fitted = tune.fit(untuned, LESSONS)
    assert fitted is not None and fitted.used == len(LESSONS)
    return replace(untuned, scorer=fitted.scorer)


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("Who is the spouse of Bo Berg?", ("Dana Holm",)),
        ("Where was Dana Holm born?", ("Malmö",)),
        ("What country is Oslo in?", ("Norway",)),
    ],
)
def test_without_tuning_relations_are_found_by_their_names(
    question: str, values: tuple[str, ...]
) -> None:
    assert reader()(question)[0].values == values


def test_the_edges_of_an_answer_lead_from_the_topic_to_the_value(tuned: GraphReader) -> None:
    found = tuned("in which land is the home town of Cleo Berg")[0]
    assert found.values == ("Norway",) and found.path == ("born in", "country")
    assert [EDGES[edge - 1] for edge in found.edges] == [
        ("Cleo Berg", "born in", "Bergen (Norway)"),
        ("Bergen (Norway)", "country", "Norway"),
    ]


def test_the_topic_itself_is_named_last() -> None:
    rows = [("a", "wrote", "x"), ("a", "directed", "x"), ("b", "directed", "x"),
            ("a", "wrote", "y"), ("a", "directed", "y")]  # fmt: skip
    graph = family(rows)
    path = path_of(graph, ["wrote", "directed [inverse]"])
    walked = walk(graph, graph.ids["a"], path or ())
    assert walked is not None and [graph.names[i] for i in ranked(graph, walked)] == ["b", "a"]


def test_a_question_that_only_names_an_entity_is_not_about_the_graph() -> None:
    found = reader()("How much did the new boat of Bo Berg cost last summer?")
    assert not found or found[0].support < 0.1


def test_how_many_is_counted() -> None:
    found = reader()("How many are the parent of Anna Berg?")[0]
    assert found.counted == 2 and set(found.values) == {"Bo Berg", "Cleo Berg"}


def test_a_question_about_nothing_of_the_graph_has_no_answer() -> None:
    assert reader()("How deep is the sea?") == []
    assert reader()("Who is the spouse?", topic="Nobody At All") == []


def test_what_was_learned_holds_for_names_that_were_not_in_the_lessons(tuned: GraphReader) -> None:
    assert tuned("what is the home town of Cleo Berg")[0].values == ("Bergen (Norway)",)


def test_a_path_that_was_never_taught_is_scored_by_its_parts(tuned: GraphReader) -> None:
    found = tuned("in which land is the home town of Cleo Berg")[0]
    assert found.path == ("born in", "country")
    lands = tuned.scores(masked("in which land is the home town of X", "X"),
                         [("spouse", "country"), ("spouse", "spouse")])  # fmt: skip
    assert lands[0] > lands[1]


def test_lessons_without_a_path_learn_from_the_answers() -> None:
    untuned = reader()
    fitted = tune.fit(untuned, [replace(one, path=()) for one in LESSONS])
    assert fitted is not None
    told = replace(untuned, scorer=fitted.scorer)
    assert told("what is the home town of Cleo Berg")[0].values == ("Bergen (Norway)",)


def test_a_scorer_comes_out_of_its_bytes_as_it_went_in() -> None:
    untuned = reader()
    fitted = tune.fit(untuned, LESSONS)
    assert fitted is not None
    back, _ = tune.unpacked(fitted.packed())
    row = features(["in which land is @"], untuned.embed)[0]
    paths = [("born in",), ("born in", "country")]
    none = np.zeros(2, dtype=np.float32)
    assert np.allclose(back(row, paths, none), fitted.scorer(row, paths, none), atol=0.02)


def test_nothing_can_be_learned_from_topics_that_are_not_there() -> None:
    assert tune.fit(reader(), [Labelled("who", "Nobody At All", ("x",))]) is None


def test_fitting_finds_what_a_plain_softmax_regression_finds() -> None:
    """Against an independent gradient descent on the same loss, in plain weights."""
    rng = np.random.default_rng(3)
    paths = (("a",), ("b",), ("a", "b"))
    rows = rng.standard_normal((12, 5)).astype(np.float32)
    right = [int(rng.integers(3)) for _ in rows]
    lessons = [
        Lesson(row, paths, np.eye(3, dtype=np.float32)[at], np.zeros(3, dtype=np.float32))
        for row, at in zip(rows, right, strict=True)
    ]
    made = scorer.fit(lessons, penalty=0.1, rounds=4000)
    offers = made.slots.matrix(paths)
    inputs = np.hstack([rows, np.ones((12, 1), dtype=np.float32)])
    weights = np.zeros((len(made.slots.index), 6))
    for _ in range(20_000):
        scores = inputs @ weights.T @ offers.T
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        miss = chances - np.eye(3)[right]
        weights -= 0.05 * ((miss @ offers).T @ inputs / 12 + 0.1 * weights)
    assert np.allclose(made.weights, weights[:, :5], atol=0.02)
    assert np.allclose(made.bias, weights[:, 5], atol=0.02)


def test_what_chances_are_worth_rises_and_is_never_certain() -> None:
    found = curve([0.1, 0.2, 0.3, 0.8, 0.9, 0.95], [False, True, False, True, True, True])
    assert found is not None
    worth = [found(chance) for chance in (0.0, 0.2, 0.5, 0.9, 1.0)]
    assert worth == sorted(worth) and worth[0] > 0 and worth[-1] < 1
    assert curve([], []) is None


def test_the_family_is_read_the_same_twice(tuned: GraphReader) -> None:
    question = "in which land is the home town of Bo Berg"
    assert tuned(question) == tuned(question)
    assert family().names == family().names
