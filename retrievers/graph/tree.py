"""Entity-tree context, after Tree-RAG (Fatehkia et al. 2024, arXiv 2402.07483): where a question
names something of a hierarchy, the way up to its root and what lies directly below it.

A hierarchy is found in the graph itself: a relation of which nearly every thing has at most one
parent, in which one never comes back to where one was, and which is at least two deep. Not here:
answers from paths (reader.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import networkx as nx
import numpy as np

from pilotfish.types import Case
from retrievers.graph.held import Graphs
from retrievers.graph.memory import Graph, Half
from store import triples

SINGLE = 0.95  # of the things of a hierarchy that have one parent
DEEP, WIDE = 2, 3  # levels below a root, and edges, from which a relation is a hierarchy
LARGEST = 200_000  # edges of a relation that is looked at
CHILDREN = 12
_KNOWN: WeakKeyDictionary[Graph, tuple[Hierarchy, ...]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """`up`: the step that leads from a child to its parent; the other way leads down."""

    up: int


@dataclass(frozen=True, slots=True)
class EntityTree:
    """Adds up to k edges of the hierarchies that the question's entities stand in."""

    graphs: Graphs
    k: int = 10
    name: str = "entity tree"

    def __call__(self, case: Case, /) -> Case:
        reading = self.graphs.reading()
        if reading is None:
            return replace(case, passages=())
        graph, names = reading.reader.graph, reading.reader.names
        topic = case.question.scope.topic
        if topic is not None:
            found = names.topic(topic)
            entities = [] if found is None else [found]
        else:
            entities = [mention.entity for mention in names.mentions(case.question.text)]
        found_in = hierarchies(graph)
        edges = [edge for one in entities for edge in around(graph, one, found_in)]
        best = list(dict.fromkeys(edges))[: self.k]
        with self.graphs.database.read() as connection:
            passages = triples.fetch(connection, best)
        notes = {"hierarchies": [graph.label(one.up) for one in found_in]}
        return replace(case, passages=tuple(passages.values()), notes=notes)


def hierarchies(graph: Graph) -> tuple[Hierarchy, ...]:
    """The relations of a graph that are hierarchies, and which way is up; found out once."""
    if graph not in _KNOWN:
        _KNOWN[graph] = tuple(_hierarchies(graph))
    return _KNOWN[graph]


def _hierarchies(graph: Graph) -> Iterator[Hierarchy]:
    for relation in range(len(graph.relations)):
        forwards = graph.halves[2 * relation]
        if not WIDE <= forwards.starts.size <= LARGEST:
            continue
        for up in (2 * relation, 2 * relation + 1):
            if _is_tree(graph.halves[up]):
                yield Hierarchy(up)
                break


def _is_tree(half: Half) -> bool:
    """Whether nearly all that a step leaves has one end, nothing comes back, and it is deep."""
    children, parents = np.unique(half.starts, return_counts=True)
    if (parents == 1).mean() < SINGLE or np.unique(half.ends).size == half.starts.size:
        return False
    tree = nx.DiGraph(zip(half.ends.tolist(), half.starts.tolist(), strict=True))
    if not nx.is_directed_acyclic_graph(tree):
        return False
    return bool(nx.dag_longest_path_length(tree) >= DEEP) and children.size >= WIDE


def around(graph: Graph, entity: int, found: Sequence[Hierarchy]) -> list[int]:
    """Database ids of the edges up to the root, then of those to the children."""
    edges: list[int] = []
    for one in found:
        at, seen = entity, {entity}
        while True:
            _, ends, ids = graph.between(np.array([at]), one.up)
            if not ends.size or int(ends[0]) in seen:
                break
            edges.append(int(ids[0]))
            at = int(ends[0])
            seen.add(at)
        _, _, below = graph.between(np.array([entity]), one.up ^ 1)
        edges += [int(edge) for edge in below[:CHILDREN]]
    return edges
