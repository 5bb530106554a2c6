"""Edges as arrays give what networkx gives by walking them one by one."""

from __future__ import annotations

import random

import networkx as nx
import numpy as np
from family import EDGES, family

from retrievers.graph.memory import back, graph_of
from retrievers.graph.paths import labels, path_of, proposed, walk


def made(seed: int, edges: int = 400) -> list[tuple[str, str, str]]:
    rng = random.Random(seed)
    return [
        (f"n{rng.randrange(60)}", f"r{rng.randrange(5)}", f"n{rng.randrange(60)}")
        for _ in range(edges)
    ]


def oracle(edges: list[tuple[str, str, str]]) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph()
    for subject, relation, other in edges:
        graph.add_edge(subject, other, relation)
        graph.add_edge(other, subject, f"{relation} [inverse]")
    return graph


def test_a_set_of_entities_follows_a_step_as_each_of_them_would() -> None:
    for seed in range(5):
        edges = made(seed)
        graph, walked = graph_of((i, *e) for i, e in enumerate(edges, 1)), oracle(edges)
        rng = np.random.default_rng(seed)
        for step in range(graph.steps):
            frontier = np.unique(rng.integers(0, len(graph.names), 7))
            wanted = {
                end
                for one in frontier
                for _, end, kind in walked.out_edges(graph.names[one], keys=True)
                if kind == graph.label(step)
            }
            assert {graph.names[i] for i in graph.follow(frontier, step)} == wanted


def test_every_step_that_leaves_an_entity_is_known() -> None:
    edges = made(9)
    graph, walked = graph_of((i, *e) for i, e in enumerate(edges, 1)), oracle(edges)
    for at, name in enumerate(graph.names):
        wanted = {kind for _, _, kind in walked.out_edges(name, keys=True)}
        assert {graph.label(int(step)) for step in graph.leaving(at)} == wanted


def test_edges_between_keep_their_ids() -> None:
    graph = family()
    step = path_of(graph, ["born in"])
    assert step is not None
    starts, ends, ids = graph.between(np.array([graph.ids["Bo Berg"]]), step[0])
    assert [graph.names[i] for i in starts] == ["Bo Berg"]
    assert [graph.names[i] for i in ends] == ["Oslo"]
    assert EDGES[ids[0] - 1] == ("Bo Berg", "born in", "Oslo")


def test_a_relation_runs_both_ways() -> None:
    graph = family()
    for step in range(graph.steps):
        assert back(back(step)) == step and graph.label(step) != graph.label(back(step))


def test_a_graph_without_edges_is_a_graph() -> None:
    graph = graph_of([])
    assert graph.steps == 0 and graph.names == [] and not graph.leaving(0).size


def test_paths_are_proposed_that_lead_somewhere_and_known_ones_are_among_them() -> None:
    graph = family()
    anna = graph.ids["Anna Berg"]
    named = {labels(graph, path) for path in proposed(graph, anna, 3)}
    assert ("parent", "spouse", "born in") in named
    assert ("country",) not in named, "Anna is no place"


def test_who_is_just_left_is_not_come_back_to() -> None:
    graph = family()
    siblings = path_of(graph, ["parent [inverse]", "parent"])
    assert siblings is not None
    walked = walk(graph, graph.ids["Bo Berg"], siblings)
    assert walked is not None and [graph.names[i] for i in walked.found] == ["Cleo Berg"]


def test_a_path_that_leads_nowhere_is_none() -> None:
    graph = family()
    assert walk(graph, graph.ids["Oslo"], path_of(graph, ["spouse"]) or ()) is None
    assert path_of(graph, ["no such relation"]) is None
