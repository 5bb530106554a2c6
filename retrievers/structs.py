"""StructGPT's seven interfaces to structured data, as plain functions (arXiv 2305.09645).

What may be chosen is read first (an entity's relations, a table's columns, a database's tables),
then the content of what was chosen; `linearise` writes it as lines that a model reads. One protocol
serves graphs, tables and databases; the sources are ours (struct_sources.py). Not here: who chooses
(choose.py), reading hop after hop (hops.py), SQL (sql.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pilotfish.errors import InputError
from retrievers.locked.nouns import Join, Table

StructKind = Literal["graph", "table", "database"]
BETWEEN = " — "  # between the parts of an edge


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge of a graph, and its id in the database."""

    id: int
    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True)
class SubTable:
    """Some columns and rows of a table; `numbers[i]` is row i's number in its source."""

    name: str
    columns: tuple[str, ...]
    numbers: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Information:
    """Tables with their columns, and the foreign keys between them."""

    tables: tuple[Table, ...]
    joins: tuple[Join, ...]


Read = tuple[Edge, ...] | SubTable | Information


class StructSource(Protocol):
    """A structure whose names are offered first and whose content is read by name.

    `at` is the entity of a graph; tables and databases have one place and take "".
    Both raise InputError for a name that the structure does not have.
    """

    @property
    def kind(self) -> StructKind: ...

    def offered(self, at: str = "") -> tuple[str, ...]:
        """The names that may be chosen: relations, columns or tables."""
        ...

    def read(self, chosen: Sequence[str], at: str = "", rows: Sequence[int] | None = None) -> Read:
        """The content of the chosen names; `rows`: source numbers of a table's rows, None: all."""
        ...


def neighbour_relations(graph: StructSource, entity: str) -> tuple[str, ...]:
    """Every relation that leaves an entity, those that lead to it marked " [inverse]"."""
    return _of("graph", graph).offered(entity)


def triples_of(graph: StructSource, entity: str, relations: Sequence[str]) -> tuple[Edge, ...]:
    """The edges of an entity by these relations; InputError: it has no such relation."""
    found = _of("graph", graph).read(relations, entity)
    assert isinstance(found, tuple)
    return found


def column_names(table: StructSource) -> tuple[str, ...]:
    """The columns of a table, in their order."""
    return _of("table", table).offered()


def columns(table: StructSource, names: Sequence[str]) -> SubTable:
    """Whole columns; InputError: the table has none of that name."""
    return sub_table(table, names, None)


def sub_table(table: StructSource, names: Sequence[str], rows: Sequence[int] | None) -> SubTable:
    """These columns of the rows with these source numbers; InputError: no such column or row."""
    found = _of("table", table).read(names, "", rows)
    assert isinstance(found, SubTable)
    return found


def tables_and_columns(database: StructSource) -> dict[str, tuple[str, ...]]:
    """Every table's columns."""
    found = tables_information(database, _of("database", database).offered())
    return {table.name: tuple(c.name for c in table.columns) for table in found.tables}


def tables_information(database: StructSource, names: Sequence[str]) -> Information:
    """Columns of the chosen tables, the foreign keys between them; InputError: no such table."""
    found = _of("database", database).read(names)
    assert isinstance(found, Information)
    return found


def linearise(found: Read) -> str:
    """As lines: an edge each; a row each as "item i: (column, value); ..."; a table each."""
    if isinstance(found, SubTable):
        return "\n".join(
            f"item {number}: " + "; ".join(_cells(found.columns, row))
            for number, row in zip(found.numbers, found.rows, strict=True)
        )
    if isinstance(found, Information):
        tables = [
            f"{t.name}({', '.join(column.name for column in t.columns)})" for t in found.tables
        ]
        keys = [f"{j.table}.{j.column} = {j.to_table}.{j.to_column}" for j in found.joins]
        return "\n".join((*map(_line, tables), *map(_line, keys)))
    return "\n".join(_line(BETWEEN.join((e.subject, e.relation, e.object))) for e in found)


def _of(kind: StructKind, source: StructSource) -> StructSource:
    if source.kind != kind:
        raise InputError(f"this source is a {source.kind}: the interface reads a {kind}")
    return source


def _cells(names: Sequence[str], row: Sequence[str]) -> list[str]:
    return [f"({_line(name)}, {_line(cell)})" for name, cell in zip(names, row, strict=True)]


def _line(text: str) -> str:
    return " ".join(text.split())
