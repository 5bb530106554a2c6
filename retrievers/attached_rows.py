"""The rows of an attached database that a query used, as they are cited: key first, then the rest.

Not here: which queries say so (locked/used.py), reading the rows again (locked/reread.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotfish.types import Cells
from retrievers.locked.nouns import Dialect, QueryFailed, Rows, Schema, Table, shown
from retrievers.locked.reader import Reader
from retrievers.locked.used import columns_said, rows_queries
from retrievers.sql import Used
from retrievers.tables.retrieve import CITED

WIDE = 12  # columns that a citation has at most
LOOKED_AT = 1_000  # rows of one table, of which CITED are cited


def rows_used(
    reader: Reader, schema: Schema, database: str, sql: str, result: Rows
) -> tuple[Used, ...]:
    """The rows that a query reads, each table's with its key and the columns asked for."""
    cited: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], None]] = {}
    tables, dialect = schema.tables, reader.database.dialect

    def wanted(name: str) -> tuple[str, ...]:
        table = named(tables, name)
        return _cited_columns(table, sql, dialect) if table else ()

    for one in rows_queries(sql, dialect, wanted, LOOKED_AT):
        table = named(tables, one.table)
        assert table is not None
        columns = wanted(one.table)
        rows = cited.setdefault((table.name, columns), {})
        keys = [at for at, name in enumerate(columns) if _is_key(table, name)]
        try:
            found = reader.run(one.sql).rows
        except QueryFailed:
            continue
        rows |= {
            tuple(shown(cell) for cell in row): None
            for row in found
            # an outer join gives a row of nothing where there is none
            if any(row[at] is not None for at in keys or range(len(row)))
        }
    told = {shown(cell) for row in result.rows for cell in row} - {""}
    return tuple(
        Used(Cells(database, table, (), columns, _telling(tuple(rows), told)))
        for (table, columns), rows in cited.items()
        if rows
    )


def named(tables: Sequence[Table], name: str) -> Table | None:
    """The table of that very name, else of that name in other letters."""
    exact = next((table for table in tables if table.name == name), None)
    return exact or next((t for t in tables if t.name.lower() == name.lower()), None)


def _is_key(table: Table, name: str) -> bool:
    return any(column.key and column.name == name for column in table.columns)


def _telling(rows: tuple[tuple[str, ...], ...], told: set[str]) -> tuple[tuple[str, ...], ...]:
    """All rows, or of more than are cited those that hold what the result says."""
    if len(rows) <= CITED:
        return rows
    holding = tuple(row for row in rows if told & set(row))
    return (holding or rows)[:CITED]


def _cited_columns(table: Table, sql: str, dialect: Dialect) -> tuple[str, ...]:
    """Its key, then what the query speaks of; all of it where that is none, or all."""
    said = columns_said(sql, dialect)
    keys = [c.name for c in table.columns if c.key]
    others = [c.name for c in table.columns if not c.key and c.name.lower() in said]
    if not others or "*" in said:
        others = [c.name for c in table.columns if not c.key]
    return tuple([*keys, *others][:WIDE])
