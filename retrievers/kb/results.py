"""What the three functions take and give: aliases in; values, the edges under them, a message out.

Each value keeps the database ids of the edges that lead to it, also through nested calls, so that
an answer cites what it rests on. Not here: the functions (functions.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pilotfish.errors import InputError
from pilotfish.types import Passage
from retrievers.graph.link import plain

ResultKind = Literal["entities", "relations", "info", "count"]
FailureCode = Literal[
    "plan_refused", "plan_too_long", "plan_too_deep", "plan_too_many_steps", "plan_too_large",
    "plan_too_slow",
]  # fmt: skip
WAYS = 48  # edges that are kept under one value
VALUES = 10_000  # of one result


class PlanFailed(InputError):
    """A plan that gave no result, in one line. `code` says why; a model may be shown the text."""

    def __init__(self, code: FailureCode, message: str) -> None:
        super().__init__(" ".join(message.split()))
        self.code = code


@dataclass(frozen=True, slots=True)
class Aliases:
    """`written`: names of one thing as a model writes them; `known`: values found before, each a
    thing of its own, with the edges that led to it.
    """

    written: tuple[str, ...] = ()
    known: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def every(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.written, *self.known)))


@dataclass(frozen=True, slots=True)
class Result:
    """`ways`: value -> database ids of the edges that carry it, the first values best.

    `sure`: 0 to 1, how well names and relations fitted what was asked; `lines`: the edges of an
    information as text; `passages`: text that mentions the entities, where it was asked for.
    """

    kind: ResultKind
    ways: Mapping[str, tuple[int, ...]]
    message: str
    sure: float = 1.0
    lines: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(self.ways)

    @property
    def edges(self) -> tuple[int, ...]:
        """Each edge once, those of the first values first."""
        return tuple(dict.fromkeys(edge for some in self.ways.values() for edge in some))


def asked(aliases: Sequence[str] | Result | Aliases) -> Aliases:
    """Aliases out of a list of names or of a result."""
    if isinstance(aliases, Aliases):
        return aliases
    if isinstance(aliases, Result):
        return Aliases(known=aliases.ways)
    return Aliases(tuple(dict.fromkeys(aliases)))


def joined(*some: Sequence[int]) -> tuple[int, ...]:
    """Edges of several ways to one value, each once, not more than are kept."""
    return tuple(dict.fromkeys(edge for edges in some for edge in edges))[:WAYS]


def fitting(ways: Mapping[str, tuple[int, ...]]) -> Mapping[str, tuple[int, ...]]:
    """The values; PlanFailed where they are more than VALUES."""
    if len(ways) > VALUES:
        told = f"the result has {len(ways):,} values, over {VALUES:,}: begin at fewer entities"
        raise PlanFailed("plan_too_large", told)
    return ways


def intersect(first: Result, second: Result) -> Result:
    """The values of both, in the first's order; names are compared as entities are."""
    others = {_key(value): edges for value, edges in second.ways.items()}
    ways = {
        value: joined(edges, others[_key(value)])
        for value, edges in first.ways.items()
        if _key(value) in others
    }
    return _both(first, second, ways, f"{len(ways)} values are in both")


def union(first: Result, second: Result) -> Result:
    """The values of either, the first's first; PlanFailed where they are too many."""
    ways, names = dict(first.ways), {_key(value): value for value in first.ways}
    for value, edges in second.ways.items():
        name = names.setdefault(_key(value), value)
        ways[name] = joined(ways.get(name, ()), edges)
    return _both(first, second, fitting(ways), f"{len(ways)} values are in either")


def count(found: Result) -> Result:
    """How many values there are, carried by all their edges."""
    edges = found.edges if found.ways else ()
    told = f"{len(found.ways)} values are counted"
    return Result("count", {str(len(found.ways)): edges}, told, found.sure)


def _both(a: Result, b: Result, ways: Mapping[str, tuple[int, ...]], told: str) -> Result:
    kind: ResultKind = a.kind if a.kind == b.kind else "entities"
    lines = tuple(dict.fromkeys((*a.lines, *b.lines))) if kind == "info" else ()
    passages = {passage.id: passage for passage in (*a.passages, *b.passages)}
    return Result(kind, ways, told, min(a.sure, b.sure), lines, tuple(passages.values()))


def _key(value: str) -> str:
    return plain(value) or value.casefold()
