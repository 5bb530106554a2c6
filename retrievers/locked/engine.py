"""The seam between the child and a database engine. Not here: any engine.

SQLite files, sheets in DuckDB, DuckDB files and Postgres have one each.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from retrievers.locked.nouns import Cell, Code, Column, Join, Limits, Schema

Raw = tuple[list[str], list[str], Iterator[tuple[Cell, ...]]]  # columns, types, rows as they come
SAMPLE_CHARACTERS, SAMPLED_ROWS = 80, 50_000
SAMPLING_S = 20.0  # for values of all columns; what comes later has none
_SAMPLES, _SAMPLES_OF_ALL = 1_000, 200_000  # of one column, of a whole schema


class Engine(Protocol):
    """One open database. `open` may touch files; afterwards the process is locked."""

    def open(self, given: dict[str, Any], limits: Limits) -> Schema:
        """Load and lock; what may be read. EngineError when it cannot be opened."""

    def run(self, sql: str) -> Raw:
        """Start one checked query; EngineError, here or while rows are taken."""


class EngineError(Exception):
    """An engine's own error, sorted by what the caller can do about it."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


def plain(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[Cell, ...]]:
    """Rows of a driver as cells that JSON can say."""
    for row in rows:
        yield tuple(_cell(value) for value in row)


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def samples_each(columns: int) -> int:
    """How many values of each column are kept, where there are that many columns."""
    return min(_SAMPLES, _SAMPLES_OF_ALL // max(columns, 1))


def quoted(name: str) -> str:
    """A name as SQL reads it back."""
    return '"' + name.replace('"', '""') + '"'


def inferred(tables: dict[str, tuple[Column, ...]], declared: list[Join]) -> list[Join]:
    """Joins that nobody declared: columns of one name in two tables, towards the key of one.

    Without any key (spreadsheets) the name must end as names of keys do.
    """
    joins = list(declared)
    joined = {(j.table, j.column, j.to_table) for j in declared}
    for table, columns in tables.items():
        for column in columns:
            for other, theirs in tables.items():
                twin = next((c for c in theirs if c.name.lower() == column.name.lower()), None)
                if other == table or twin is None or not _joins(column, twin):
                    continue
                if (table, column.name, other) not in joined:
                    joins.append(Join(table, column.name, other, twin.name, declared=False))
                    joined |= {(table, column.name, other), (other, twin.name, table)}
    return joins


def _joins(column: Column, twin: Column) -> bool:
    if twin.key:
        return True
    name = column.name.lower().replace(" ", "_")
    return not column.key and name.endswith(("id", "_code", "_key", "_no", "_number"))
