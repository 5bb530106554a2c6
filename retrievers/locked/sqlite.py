"""SQLite files in the child: read-only, an authorizer over granted tables and known functions.

The authorizer is the wall: it sees what SQLite really compiled, whatever the parser before it
(`guard`) thought. Not here: the parser, the limits of the process (`jail`).
https://www.sqlite.org/security.html
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus.limits import MB
from retrievers.locked.allowed import SQLITE
from retrievers.locked.engine import (
    SAMPLE_CHARACTERS,
    SAMPLED_ROWS,
    SAMPLING_S,
    EngineError,
    Raw,
    inferred,
    quoted,
    samples_each,
)
from retrievers.locked.nouns import Cell, Code, Column, Join, Limits, Schema, Table

_STEPS = 10_000  # instructions between two looks at the clock
_IMPLICIT = frozenset({"like", "glob"})  # the functions behind two operators
_LENGTH = 1_000_000  # bytes of any string or blob that a query may make
_CAPS = (
    (sqlite3.SQLITE_LIMIT_LENGTH, _LENGTH),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200),
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 30),
    (sqlite3.SQLITE_LIMIT_VDBE_OP, 100_000),
    (sqlite3.SQLITE_LIMIT_FUNCTION_ARG, 20),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 500),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0),
    (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
)
_SORTED: dict[str, Code] = {
    "interrupted": "sql_too_slow",
    "out of memory": "sql_too_much_memory",
    "too big": "sql_too_large",
    "not authorized": "sql_refused",
    "prohibited": "sql_refused",
}


class SQLite:
    """One SQLite file, opened read-only."""

    def open(self, given: dict[str, Any], limits: Limits) -> Schema:
        """Read the schema with a few values of each column, then set every lock there is."""
        self._limits = limits
        try:
            self._connection = connection = sqlite3.connect(
                address(Path(given["path"])), uri=True, isolation_level=None, cached_statements=0
            )
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            connection.execute("PRAGMA trusted_schema = OFF")
            schema = _schema(connection, given["granted"])
            self._lock(schema)
        except sqlite3.Error as error:
            raise EngineError("sql_error", f"{given['path']} cannot be read: {error}") from None
        return schema

    def run(self, sql: str) -> Raw:
        """Start a query; rows come one step at a time, so that nothing beyond the limit is made."""
        self._ends = time.monotonic() + self._limits.wall_s
        try:
            cursor = self._connection.execute(sql)
            rows = iter(cursor.fetchmany(self._limits.rows + 1))
        except (sqlite3.Error, MemoryError) as error:
            raise _sorted(error) from None
        names = [column[0] for column in cursor.description or ()]
        found = list(rows)
        return names, _types(found, len(names)), _plain(found)

    def _lock(self, schema: Schema) -> None:
        connection = self._connection
        heap = self._limits.memory_mb * MB // 2
        for pragma in ("temp_store = 2", "cell_size_check = ON", "mmap_size = 0", "query_only = ON",
                       f"hard_heap_limit = {heap}"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}").fetchall()
        for which, most in _CAPS:
            connection.setlimit(which, most)
        connection.set_authorizer(_authorizer(connection, schema))
        connection.set_progress_handler(self._late, _STEPS)

    def _late(self) -> bool:
        return time.monotonic() > self._ends


class Authorizer:
    """What SQLite asks before it compiles a step: only reading, only of what was granted.

    `countable`: names that rows may be counted of (see `_authorizer`); a CTE's name may always.
    """

    def __init__(self, granted: frozenset[str], countable: frozenset[str], real: frozenset[str]):
        self._granted, self._countable, self._real = granted, countable, real

    def __call__(
        self, action: int, what: str | None, detail: str | None, place: str | None, view: str | None
    ) -> int:
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and self._may_read(
            (what or "").lower(), detail or "", place, (view or "").lower()
        ):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and (detail or "").lower() in SQLITE | _IMPLICIT:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _may_read(self, name: str, column: str, place: str | None, view: str) -> bool:
        if name.startswith(("sqlite_", "pragma_")):
            return False
        if place == "main":
            return name in self._granted or view in self._granted
        # rows without a column, as count(*) takes them: SQLite does not say of which database
        return not column and (name in self._countable or name not in self._real)


def _authorizer(connection: sqlite3.Connection, schema: Schema) -> Authorizer:
    """Granted names, those and what granted views are made of, and all names with a meaning."""
    granted = frozenset(table.name.lower() for table in schema.tables)
    texts = connection.execute("SELECT name, type, coalesce(sql, '') FROM sqlite_master").fetchall()
    views = " ".join(sql for name, kind, sql in texts if kind == "view" and name.lower() in granted)
    modules = [name for (name,) in connection.execute("PRAGMA module_list")]
    real = frozenset(name.lower() for name in [*modules, *(name for name, _, _ in texts)])
    behind = frozenset(re.findall(r"\w+", views.lower()))
    return Authorizer(granted, granted | behind, real)


def address(path: Path) -> str:
    """The URI to open it by: immutable only where nobody can be writing to it.

    Otherwise SQLite takes its read locks, and sees a writer's journal.
    """
    beside = [path.with_name(path.name + end) for end in ("-wal", "-journal")]
    still = not path.stat().st_mode & 0o222 and not any(one.exists() for one in beside)
    return f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if still else ''}"


def _schema(connection: sqlite3.Connection, granted: list[str] | None) -> Schema:
    wanted = None if granted is None else {name.lower() for name in granted}
    names = [
        str(name)
        for name, sql in connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid"
        )
        # virtual tables run code of their own behind the authorizer's back
        if not name.lower().startswith("sqlite_") and "virtual" not in (sql or "").lower()[:20]
        if wanted is None or name.lower() in wanted
    ]
    tables = {name: its for name in names if (its := _columns(connection, name))}
    each = samples_each(sum(map(len, tables.values())))
    ends = time.monotonic() + SAMPLING_S
    tables = {
        name: tuple(
            replace(c, samples=_samples(connection, name, c.name, each, ends)) for c in columns
        )
        for name, columns in tables.items()
    }
    joins = [join for name in tables for join in _declared(connection, name, tables)]
    found = tuple(Table(name, columns) for name, columns in tables.items())
    return Schema(found, tuple(inferred(tables, joins)))


def _columns(connection: sqlite3.Connection, table: str) -> tuple[Column, ...]:
    """Its columns; none of a view whose table is gone."""
    try:
        found = connection.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
    except sqlite3.Error:
        return ()
    return tuple(Column(name, type_, bool(key)) for _, name, type_, _, _, key in found)


def _samples(
    connection: sqlite3.Connection, table: str, column: str, most: int, ends: float
) -> tuple[str, ...]:
    """Values of a column, as far as time goes and it can be read."""
    if time.monotonic() > ends:
        return ()
    name = quoted(column)
    try:
        rows = connection.execute(
            f"SELECT DISTINCT substr({name}, 1, {SAMPLE_CHARACTERS}) FROM "
            f"(SELECT {name} FROM {quoted(table)} WHERE {name} IS NOT NULL LIMIT {SAMPLED_ROWS}) "
            f"LIMIT {most}"
        ).fetchall()
    except sqlite3.Error:
        return ()
    return tuple(str(value) for (value,) in rows)


def _declared(
    connection: sqlite3.Connection, table: str, tables: dict[str, tuple[Column, ...]]
) -> Iterator[Join]:
    """Its foreign keys, as far as what they name exists (SQLite does not check)."""
    known = {name.lower(): name for name in tables}
    for row in connection.execute(f"PRAGMA foreign_key_list({quoted(table)})"):
        to, column, to_column = known.get(row[2].lower()), row[3], row[4]
        if to and any(c.name.lower() == (to_column or column).lower() for c in tables[to]):
            yield Join(table, column, to, to_column or column)


def _types(rows: list[tuple[Any, ...]], count: int) -> list[str]:
    """What the first value of each column is; SQLite's columns have no type of their own."""
    names = {int: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB"}
    found = [next((row[i] for row in rows if row[i] is not None), None) for i in range(count)]
    return [names.get(type(value), "NULL") for value in found]


def _plain(rows: list[tuple[Any, ...]]) -> Iterator[tuple[Cell, ...]]:
    for row in rows:
        yield tuple(cell.hex() if isinstance(cell, bytes) else cell for cell in row)


def _sorted(error: Exception) -> EngineError:
    if isinstance(error, MemoryError):
        return EngineError("sql_too_much_memory", "out of memory")
    text = str(error)
    code: Code = next((code for said, code in _SORTED.items() if said in text), "sql_error")
    return EngineError(code, text)
