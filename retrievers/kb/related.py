"""How two sets of entities of one graph hang together: by an edge, or by one entity between them.

KnowledGPT's `find_relationship` (arXiv 2308.11761) looks at single edges; two of them are read
where there is none. Not here: longer ways, naming entities.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from retrievers.graph.memory import Graph, Ints, back

WIDEST = 5_000  # entities between: a step that leads to more says nothing
STEPS = 30  # steps of either side that are tried
THEN = " → "  # between the relations of a way

Way = tuple[str, tuple[int, ...]]  # label, edges


def direct(graph: Graph, front: Ints, goal: Ints) -> Iterator[Way]:
    """(relation, edges) of every step that leads from the one to the other."""
    for step in _steps(graph, front):
        _, ends, ids = graph.between(front, step)
        edges = ids[np.isin(ends, goal)]
        if edges.size:
            yield graph.label(step), tuple(edges[:12].tolist())


def through(graph: Graph, front: Ints, goal: Ints) -> Iterator[Way]:
    """(relation → relation, edges) of ways over one entity that is neither end."""
    sides = [
        [
            (step, reached)
            for step in _steps(graph, some)
            if (reached := _reached(graph, some, step))
        ]
        for some in (front, goal)
    ]
    ends = np.union1d(front, goal)
    for first, near in sides[0]:
        for last, far in sides[1]:
            middle = np.setdiff1d(np.array(sorted(near & far), dtype=np.int64), ends)
            if middle.size:
                edges = (
                    _edge(graph, front, first, int(middle[0])),
                    _edge(graph, goal, last, int(middle[0])),
                )
                yield graph.label(first) + THEN + graph.label(back(last)), edges


def _steps(graph: Graph, front: Ints) -> list[int]:
    steps = {int(step) for entity in front for step in graph.leaving(int(entity))}
    return sorted(steps)[:STEPS]


def _reached(graph: Graph, front: Ints, step: int) -> frozenset[int]:
    found = graph.follow(front, step)
    return frozenset(found.tolist()) if found.size <= WIDEST else frozenset()


def _edge(graph: Graph, front: Ints, step: int, end: int) -> int:
    """The first edge of a step from any of these to that entity."""
    _, ends, ids = graph.between(front, step)
    return int(ids[np.flatnonzero(ends == end)[0]])
