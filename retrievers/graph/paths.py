"""The relation paths that a question about an entity may ask for, and where they lead.

A path is a tuple of steps (memory.py). Paths are proposed by the kinds of relations that follow one
another in the graph, walked only when they are scored well. Several hops, unlike StructGPT's
released code (arXiv 2305.09645), which stops after one. Not here: scoring (scorer.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from retrievers.graph.memory import Graph, Ints, back

Path = tuple[int, ...]
HOPS = 3
RARE = 0.01  # what fewer of the entities have than this share is no way that people ask for
MOST = 20_000  # paths proposed for one question
WIDEST = 200_000  # entities of one frontier


@dataclass(frozen=True, slots=True)
class Walked:
    """A path from an entity: the sets of entities it goes through, first the entity itself."""

    path: Path
    frontiers: tuple[Ints, ...]

    @property
    def found(self) -> Ints:
        return self.frontiers[-1]


def proposed(
    graph: Graph,
    entity: int,
    hops: int = HOPS,
    keep: Callable[[Sequence[Path]], Sequence[Path]] = lambda paths: paths,
) -> list[Path]:
    """Paths of up to `hops` steps that may lead somewhere from the entity.

    `keep` chooses those that are gone on from, where there are more than MOST.
    """  # fmt: skip
    last: list[Path] = [(int(step),) for step in graph.leaving(entity)]
    found = list(last)
    for _ in range(hops - 1):
        if len(last) * 8 > MOST:
            last = list(keep(last))[: MOST // 8]
        last = [(*path, int(step)) for path in last for step in _next(graph, path[-1])]
        found += last[: max(0, MOST - len(found))]
    return found


def _next(graph: Graph, step: int) -> Ints:
    """Steps that go on from where a step leads; back again too (others of the same kind)."""
    return np.flatnonzero(graph.follows[step] >= RARE)


def walk(graph: Graph, entity: int, path: Path) -> Walked | None:
    """Follow a path; None where it leads nowhere.

    Nobody asks for the way back: an entity that was just left is not come to again, and who asks
    for the films of a film's director does not mean that film.
    """
    frontiers = [np.array([entity], dtype=np.int64)]
    for at, step in enumerate(path):
        found = graph.follow(frontiers[-1], step)
        if at and step == back(path[at - 1]) and frontiers[-2].size == 1:
            found = found[found != frontiers[-2][0]]
        if not found.size or found.size > WIDEST:
            return None
        frontiers.append(found)
    return Walked(path, tuple(frontiers))


def labels(graph: Graph, path: Path) -> tuple[str, ...]:
    """The path as relation names, backwards ones marked."""
    return tuple(graph.label(step) for step in path)


def path_of(graph: Graph, names: Sequence[str]) -> Path | None:
    """The path of these labels; None where the graph has no such relation."""
    steps = {graph.label(step): step for step in range(graph.steps)}
    found = [steps.get(name) for name in names]
    return None if None in found else tuple(step for step in found if step is not None)
