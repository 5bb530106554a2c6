"""Our graphs, tables and schemas as sources of StructGPT's interfaces (structs.py).

Not here: the interfaces, or finding which structure a question is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pilotfish.errors import InputError
from retrievers.graph.link import Names
from retrievers.graph.memory import Graph
from retrievers.graph.reader import GraphReader
from retrievers.locked.nouns import Schema
from retrievers.structs import Edge, Information, StructKind, SubTable
from retrievers.tables.held import Laid
from store.tables import StoredTable

MOST = 1_000  # edges that are read of one entity at once


@dataclass(frozen=True, slots=True)
class GraphSource:
    """A collection's graph. `most`: edges that one reading gives."""

    graph: Graph
    names: Names
    most: int = MOST
    kind: StructKind = "graph"

    @classmethod
    def of(cls, reader: GraphReader) -> GraphSource:
        """The graph that a reader holds."""
        return cls(reader.graph, reader.names)

    def offered(self, at: str = "") -> tuple[str, ...]:
        return tuple(self.graph.label(int(s)) for s in self.graph.leaving(self._entity(at)))

    def read(
        self, chosen: Sequence[str], at: str = "", rows: Sequence[int] | None = None
    ) -> tuple[Edge, ...]:
        if rows is not None:
            raise InputError("a graph has no rows: choose relations")
        entity = self._entity(at)
        steps = {self.graph.label(int(step)): int(step) for step in self.graph.leaving(entity)}
        _known(chosen, steps, f"relation of {self.graph.names[entity]!r}")
        found = (edge for name in chosen for edge in self._edges(entity, steps[name]))
        return tuple(edge for edge, _ in zip(found, range(self.most), strict=False))

    def _entity(self, name: str) -> int:
        entity = self.names.topic(name)
        if entity is None:
            raise InputError(f"the graph has no entity {name!r}: name one as the graph does")
        return entity

    def _edges(self, entity: int, step: int) -> Iterator[Edge]:
        graph, relation = self.graph, self.graph.relations[step >> 1]
        starts, ends, ids = graph.between(np.array([entity]), step)
        for start, end, edge in zip(starts.tolist(), ends.tolist(), ids.tolist(), strict=True):
            subject, other = (end, start) if step & 1 else (start, end)
            yield Edge(edge, graph.names[subject], relation, graph.names[other])


@dataclass(frozen=True, slots=True)
class TableSource:
    """A stored table. Of columns of one name the first is read."""

    table: StoredTable
    kind: StructKind = "table"

    @classmethod
    def of(cls, laid: Laid) -> TableSource:
        """A table of a collection."""
        return cls(laid.table)

    def offered(self, at: str = "") -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.table.columns))

    def read(
        self, chosen: Sequence[str], at: str = "", rows: Sequence[int] | None = None
    ) -> SubTable:
        table = self.table
        _known(chosen, table.columns, f"column of table {table.name!r}")
        places = [table.columns.index(name) for name in dict.fromkeys(chosen)]
        by_number = {number: at for at, number in enumerate(table.numbers)}
        wanted = table.numbers if rows is None else tuple(dict.fromkeys(rows))
        _known(wanted, by_number, f"row of table {table.name!r}")
        cells = tuple(tuple(table.rows[by_number[n]][c] for c in places) for n in wanted)
        return SubTable(table.name, tuple(dict.fromkeys(chosen)), tuple(wanted), cells)


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """A schema, as the locked readers give it."""

    schema: Schema
    kind: StructKind = "database"

    def offered(self, at: str = "") -> tuple[str, ...]:
        return tuple(table.name for table in self.schema.tables)

    def read(
        self, chosen: Sequence[str], at: str = "", rows: Sequence[int] | None = None
    ) -> Information:
        if rows is not None:
            raise InputError("a database's information has no rows: choose tables")
        _known(chosen, self.offered(), "table")
        tables = tuple(table for table in self.schema.tables if table.name in chosen)
        joins = tuple(j for j in self.schema.joins if j.table in chosen and j.to_table in chosen)
        return Information(tables, joins)


def _known(chosen: Sequence[object], offered: Iterable[object], what: str) -> None:
    """InputError for the first that is not offered."""
    there = list(offered)
    for name in chosen:
        if name not in there:
            some = ", ".join(str(one) for one in there[:12]) or "none"
            raise InputError(f"no {what} is {name!r}: there are {some}")
