"""Inserts that meet a row which is there: the same for SQLite and Postgres.

Not here: any table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

from store.prepared import Prepared


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose key is there already stays as it is."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def found_new(table: Table, names: Sequence[str], query: Select[Any]) -> Prepared:
    """Insert what the query finds; a row whose key is there already stays as it is."""
    made = (sqlite.insert(table), postgresql.insert(table))
    return Prepared(*(one.from_select(names, query).on_conflict_do_nothing() for one in made))


def put(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert a row, or overwrite the one of the same primary key."""
    keys = [column.name for column in table.primary_key]
    statement = _insert(connection, table).values(**row)
    rest = {name: statement.excluded[name] for name in row if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest))


def _insert(connection: Connection, table: Table) -> Any:
    made = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return made(table)
