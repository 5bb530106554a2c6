"""A DuckDB file in the child: opened read-only, then locked as sheets are.

DuckDB has no authorizer: where only some tables of a file are granted, the parser (`guard`) alone
keeps the others away. Not here: the lock and the running (`duck`), the process (`jail`).
https://duckdb.org/docs/stable/connect/concurrency
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import duckdb

from retrievers.locked.duck import START, Duck, sorted_out
from retrievers.locked.engine import SAMPLING_S, EngineError, inferred, quoted, samples_each
from retrievers.locked.nouns import Column, Join, Limits, Schema, Table

MAIN = "main"
_TABLES = """SELECT table_name FROM information_schema.tables
WHERE table_schema = ? AND table_catalog = current_database() ORDER BY table_name"""
_KEYS = """SELECT table_name, constraint_type, constraint_column_names, referenced_table,
referenced_column_names FROM duckdb_constraints()
WHERE schema_name = ? AND database_name = current_database()
AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')"""


class DuckFile(Duck):
    """One DuckDB file; who writes to it is kept out while it is open."""

    def open(self, given: dict[str, Any], limits: Limits) -> Schema:
        """Read the schema with a few values of each column, then lock the configuration."""
        settings = START | {"memory_limit": f"{limits.load_mb}MB"}
        try:
            self._connection = duckdb.connect(given["path"], read_only=True, config=settings)
        except duckdb.Error as error:
            raise EngineError("sql_error", f"{given['path']}: {_told(error)}") from None
        try:
            # its views must reach no file while their values are looked at
            self._connection.execute("SET enable_external_access = false")
            with suppress(duckdb.Error):  # what a zone's times are read with is loaded by one
                self._connection.execute("SELECT now(), DATE '2024-01-01'").fetchall()
            schema = self._schema(given["schema"] or MAIN, given["granted"], given["samples"])
            self._lock(limits)
        except (duckdb.Error, MemoryError) as error:
            raise sorted_out(error) from None
        return schema

    def _schema(self, schema: str, granted: list[str] | None, sampled: bool) -> Schema:
        wanted = None if granted is None else {name.lower() for name in granted}
        names = [
            str(name)
            for (name,) in self._connection.execute(_TABLES, [schema]).fetchall()
            if wanted is None or name.lower() in wanted
        ]
        self._connection.execute(f"SET schema = {quoted(schema)}")
        declared = self._connection.execute(_KEYS, [schema]).fetchall()
        keys = {(row[0], name) for row in declared if row[1] == "PRIMARY KEY" for name in row[2]}
        tables = {name: its for name in names if (its := self._known(name))}
        each = samples_each(sum(map(len, tables.values()))) if sampled else 0
        ends = time.monotonic() + SAMPLING_S
        tables = {
            name: tuple(
                replace(c, key=(name, c.name) in keys, samples=self._some(name, c, each, ends))
                for c in columns
            )
            for name, columns in tables.items()
        }
        joins = inferred(tables, list(_joins(declared, tables)))
        return Schema(tuple(Table(name, columns) for name, columns in tables.items()), tuple(joins))

    def _known(self, table: str) -> tuple[Column, ...]:
        """Its columns; none of a view that cannot be read."""
        try:
            return self._columns(table, {})
        except duckdb.Error:
            return ()

    def _some(self, table: str, column: Column, most: int, ends: float) -> tuple[str, ...]:
        """Values of a column, as far as time goes and it can be read."""
        if not most or time.monotonic() > ends:
            return ()
        try:
            return self._samples(table, column.name, most)
        except duckdb.Error:
            return ()


def _joins(declared: list[Any], tables: dict[str, tuple[Column, ...]]) -> Iterator[Join]:
    """Foreign keys of one column between tables that were granted."""
    for table, kind, columns, to, to_columns in declared:
        if kind == "FOREIGN KEY" and len(columns) == 1 and table in tables and to in tables:
            yield Join(table, columns[0], to, to_columns[0])


def _told(error: Exception) -> str:
    """Why a file does not open, in a line; somebody else's lock said plainly."""
    said = str(error).split("\n")[0]
    if "Could not set lock" in said or "Conflicting lock" in said:
        return "another process is writing to it; close that, or attach a copy"
    return said
