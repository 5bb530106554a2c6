"""A collection's edges as arrays: sets of entities follow a relation at once.

A step is a relation and a direction: `2 * relation` forwards, `2 * relation + 1` backwards. The
walks of a question are a few array look-ups, where networkx takes 1.2 kB and a Python call an edge
(it holds the small graphs that answers and trees are explained by: explain.py, tree.py). Not here:
which path a question asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
INVERSE = " [inverse]"
_NONE: Ints = np.empty(0, dtype=np.int64)


def back(step: int) -> int:
    """The same relation the other way."""
    return step ^ 1


@dataclass(frozen=True, slots=True)
class Half:
    """The edges of one step, sorted by where they start. All three have one entry an edge."""

    starts: Ints
    ends: Ints
    edges: Ints


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Graph:
    """`names`: of entities; `relations`: their names; `edges`: database ids of the edges.

    `halves[step]` are the edges of a step. `has`: which steps leave each entity, as an array of
    pairs (entity, step), sorted. `follows[a, b]`: the share of the entities reached by step a
    that step b leaves. `shares[step]`: its part of all edges.
    """

    names: list[str]
    relations: list[str]
    edges: Ints
    halves: list[Half]
    has: Ints
    follows: NDArray[np.float64]
    ids: dict[str, int] = field(repr=False)

    @property
    def steps(self) -> int:
        return 2 * len(self.relations)

    def label(self, step: int) -> str:
        """The relation's name; backwards with " [inverse]" after it."""
        return self.relations[step >> 1] + (INVERSE if step & 1 else "")

    def leaving(self, entity: int) -> Ints:
        """The steps that leave an entity."""
        low, high = np.searchsorted(self.has[:, 0], [entity, entity + 1])
        return self.has[low:high, 1]

    def follow(self, frontier: Ints, step: int) -> Ints:
        """The entities that a step leads to from those of `frontier`, sorted, each once."""
        half = self.halves[step]
        return np.unique(half.ends[_rows(half.starts, frontier)])

    def between(self, frontier: Ints, step: int) -> tuple[Ints, Ints, Ints]:
        """(start, end, database id) of every edge of a step from `frontier`."""
        half = self.halves[step]
        rows = _rows(half.starts, frontier)
        return half.starts[rows], half.ends[rows], self.edges[half.edges[rows]]

    def degree(self, entity: int) -> int:
        """How many edges touch an entity."""
        one = np.array([entity])
        return sum(_rows(self.halves[int(step)].starts, one).size for step in self.leaving(entity))


def graph_of(rows: Iterable[tuple[int, str, str, str]]) -> Graph:
    """The graph of (edge id, subject, relation, object) rows."""
    ids: dict[str, int] = {}
    kinds: dict[str, int] = {}
    flat: list[int] = []
    for edge, subject, relation, other in rows:
        flat += (
            edge,
            ids.setdefault(subject, len(ids)),
            kinds.setdefault(relation, len(kinds)),
            ids.setdefault(other, len(ids)),
        )
    table = np.array(flat, dtype=np.int64).reshape(-1, 4)
    heads, relations, tails = table[:, 1], table[:, 2], table[:, 3]
    halves = list(_halves(heads, relations, tails, len(kinds)))
    has = _leaving(halves)
    follows = _follows(has, 2 * len(kinds))
    return Graph(list(ids), list(kinds), table[:, 0].copy(), halves, has, follows, ids)


def _halves(heads: Ints, relations: Ints, tails: Ints, kinds: int) -> Iterable[Half]:
    """Every relation's edges, forwards and backwards."""
    by_relation = np.argsort(relations, kind="stable")
    bounds = np.searchsorted(relations[by_relation], np.arange(kinds + 1))
    for kind in range(kinds):
        rows = by_relation[bounds[kind] : bounds[kind + 1]]
        for starts, ends in ((heads, tails), (tails, heads)):
            order = rows[np.argsort(starts[rows], kind="stable")]
            yield Half(starts[order], ends[order], order)


def _leaving(halves: list[Half]) -> Ints:
    """(entity, step) of every step that leaves an entity, sorted by entity."""
    pairs = [
        np.stack([starts, np.full_like(starts, step)], axis=1)
        for step, half in enumerate(halves)
        if (starts := np.unique(half.starts)).size
    ]
    if not pairs:
        return np.empty((0, 2), dtype=np.int64)
    joined = np.concatenate(pairs)
    return joined[np.lexsort((joined[:, 1], joined[:, 0]))]


def _follows(has: Ints, steps: int) -> NDArray[np.float64]:
    """What is reached by step a is left by step b: counted over the entities that have both."""
    counts = np.zeros((steps, steps))
    if has.size:
        signatures: dict[tuple[int, ...], int] = {}
        cuts = np.flatnonzero(np.diff(has[:, 0])) + 1
        for some in np.split(has[:, 1], cuts):
            key = tuple(some.tolist())
            signatures[key] = signatures.get(key, 0) + 1
        for key, count in signatures.items():
            own = np.array(key)
            counts[np.ix_(own ^ 1, own)] += count
    reached = counts.diagonal(0) if not steps else counts[np.arange(steps), np.arange(steps) ^ 1]
    return counts / np.maximum(reached, 1)[:, None]


def _rows(starts: Ints, frontier: Ints) -> Ints:
    """The places in a sorted array at which any of `frontier` stands."""
    low = np.searchsorted(starts, frontier, "left")
    counts = np.searchsorted(starts, frontier, "right") - low
    total = int(counts.sum())
    if not total:
        return _NONE
    shift = np.repeat(low - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
    return np.arange(total) + shift
