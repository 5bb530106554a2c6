"""Statements that run for each item: compiled once, and handed to SQLite's driver as they are.

SQLAlchemy takes ten times as long to bring such a statement to the driver as SQLite to run it.
In Postgres, where the wire takes longest and connections break, SQLAlchemy runs them. Only for
plain values: types of their own (JSON) and IN lists of any length are SQLAlchemy's to run.
Not here: the statements.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import sqlite


class Prepared:
    """`statement` with named parameters; `postgres` where that has to be another one."""

    def __init__(self, statement: Executable, postgres: Executable | None = None) -> None:
        self._postgres = statement if postgres is None else postgres
        compiled: Any = statement.compile(dialect=sqlite.dialect())  # type: ignore[attr-defined]
        self._text = str(compiled)
        self._order: Sequence[str] = compiled.positiontup
        asked = {one.key for one in compiled.binds.values() if one.required}
        self._fixed = {name: one for name, one in compiled.params.items() if name not in asked}
        names = [column.key for column in getattr(statement, "selected_columns", ())]
        made: Any = namedtuple("_Row", names, rename=True)  # type: ignore[misc]
        self._row: Callable[[Any], Any] = made._make

    def all(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Any]:
        """Every row; its columns have names."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._postgres, values).all()
        return [self._row(row) for row in self._run(connection, values).fetchall()]

    def first(self, connection: Connection, values: Mapping[str, object]) -> Any:
        """The first row; None when there is none."""
        rows = self.all(connection, values)
        return rows[0] if rows else None

    def scalar(self, connection: Connection, values: Mapping[str, object]) -> Any:
        """The first column of the first row; None when there is none."""
        rows = self.all(connection, values)
        return rows[0][0] if rows else None

    def run(self, connection: Connection, values: Mapping[str, object]) -> int:
        """How many rows it changed."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._postgres, values).rowcount
        return int(self._run(connection, values).rowcount)

    def _run(self, connection: Connection, values: Mapping[str, object]) -> Any:
        given = {**self._fixed, **values}
        cursor = connection.connection.cursor()
        return cursor.execute(self._text, [given[name] for name in self._order])
