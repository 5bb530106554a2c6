"""What a query is asked of and what comes back: Database, Schema, Rows, Limits, QueryFailed.

Not here: reading a schema out of a database (the engines do), or any check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pilotfish.errors import InputError

Name = Literal["sqlite", "duckdb", "duckdb_file", "postgres"]
Dialect = Literal["sqlite", "duckdb", "postgres"]
Cell = None | bool | int | float | str
Code = Literal[
    "sql_refused",
    "sql_too_slow",
    "sql_too_much_memory",
    "sql_too_large",
    "sql_crashed",
    "sql_error",
]


class QueryFailed(InputError):
    """A query that gave no rows, in one line. `code` says why; the text is safe to show a model."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(" ".join(message.split()))
        self.code = code


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may cost. `_s` is seconds; megabytes are beyond what the loaded data takes."""

    wall_s: float = 5.0
    cpu_s: int = 5
    memory_mb: int = 512
    rows: int = 1_000
    cell_characters: int = 50_000
    result_mb: int = 4
    load_s: float = 60.0
    load_mb: int = 2_048
    idle_s: int = 300
    queries: int = 1_000  # after which a child is replaced


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of strings as `corpus/` stores them; typed when loaded (`typed.py`)."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Csv:
    """A CSV file with a header, read once by the child before it locks itself."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Database:
    """Where to read: an SQLite or a DuckDB file, sheets and CSV files for DuckDB, a Postgres.

    `granted`: the only tables there are, as far as a query can tell; None: all. `url` and `schema`
    are Postgres's; `schema` may name one of a DuckDB file too.
    """

    engine: Name
    path: Path | None = None
    tables: tuple[Sheet | Csv, ...] = ()
    granted: frozenset[str] | None = None
    url: str = ""
    schema: str = ""

    @property
    def dialect(self) -> Dialect:
        """The SQL that it reads."""
        return "duckdb" if self.engine == "duckdb_file" else self.engine


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the engine's type, distinct sample values as text, its unit ('%', '$') or ''."""

    name: str
    type: str
    key: bool = False
    samples: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table or a view that may be read."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """`table.column` refers to `to_table.to_column`; `declared`, or inferred from equal names."""

    table: str
    column: str
    to_table: str
    to_column: str
    declared: bool = True


@dataclass(frozen=True, slots=True)
class Schema:
    """What may be read, and how it hangs together."""

    tables: tuple[Table, ...]
    joins: tuple[Join, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Schema:
        """From JSON, as `dataclasses.asdict` gives it."""
        return cls(
            tuple(
                Table(table["name"], tuple(_column(column) for column in table["columns"]))
                for table in given["tables"]
            ),
            tuple(Join(**join) for join in given["joins"]),
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """A result. Dates are ISO text. `truncated`: there was more than the limits let through."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated: bool = False
    seconds: float = 0.0
    sql: str = field(default="", compare=False)  # what ran, to be cited


def shown(cell: Cell) -> str:
    """A cell of a result as people write it: no .0 after whole numbers, no float dust."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        if 1e12 <= abs(cell) < 1e15:  # with twelve digits it would be written as a power of ten
            return f"{cell:.2f}".rstrip("0").rstrip(".")
        return f"{cell:.12g}" if abs(cell) < 1e15 else str(cell)
    return str(cell)


def _column(given: Mapping[str, Any]) -> Column:
    return Column(**{**given, "samples": tuple(given["samples"])})
