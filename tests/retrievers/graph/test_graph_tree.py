"""Hierarchies are found in the graph; an entity of one brings its way up and what is below it."""

from __future__ import annotations

import pytest

from retrievers.graph.memory import graph_of
from retrievers.graph.tree import around, hierarchies

FIRM = [
    ("Service", "part of", "Operations"),
    ("Workshop", "part of", "Operations"),
    ("Operations", "part of", "Fjord Ltd"),
    ("Sales", "part of", "Fjord Ltd"),
    ("Anna", "works in", "Service"),
    ("Bo", "works in", "Service"),
    ("Anna", "knows", "Bo"),
    ("Bo", "knows", "Anna"),
]


def test_only_what_is_deep_and_never_comes_back_is_a_hierarchy() -> None:
    graph = graph_of((at, *edge) for at, edge in enumerate(FIRM, 1))
    assert [graph.label(one.up) for one in hierarchies(graph)] == ["part of"]


def test_a_hierarchy_may_be_written_from_above() -> None:
    turned = [(other, "has part", subject) for subject, kind, other in FIRM if kind == "part of"]
    graph = graph_of((at, *edge) for at, edge in enumerate(turned, 1))
    assert [graph.label(one.up) for one in hierarchies(graph)] == ["has part [inverse]"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Service", [("Service", "part of", "Operations"), ("Operations", "part of", "Fjord Ltd")]),
        ("Operations", [("Operations", "part of", "Fjord Ltd"),
                        ("Service", "part of", "Operations"),
                        ("Workshop", "part of", "Operations")]),
        ("Anna", []),
    ],
)  # fmt: skip
def test_the_way_up_comes_first_then_what_is_below(
    name: str, wanted: list[tuple[str, str, str]]
) -> None:
    graph = graph_of((at, *edge) for at, edge in enumerate(FIRM, 1))
    found = around(graph, graph.ids[name], hierarchies(graph))
    assert [FIRM[edge - 1] for edge in found] == wanted


def test_a_circle_is_no_hierarchy_and_ends() -> None:
    round_ = [("a", "under", "b"), ("b", "under", "c"), ("c", "under", "a")]
    graph = graph_of((at, *edge) for at, edge in enumerate(round_, 1))
    assert hierarchies(graph) == ()
