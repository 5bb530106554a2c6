"""An SQLite file as tables: each of its tables a document, NAME#TABLE, with all its rows.

Read out of memory in the parser's child; views, virtual and internal tables are left out, and what
its schema would run is not trusted. Asked like any table then: by the small models, or by SQL over
the tables that a question is about. Not here: asking a file in place (retrievers/locked/).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from corpus.formats.canvas import stem
from corpus.formats.tables_jsonl import table_of
from corpus.limits import DEFAULT, Limits
from corpus.parsed import Parsed, ParseFailure

_TABLES = """SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'
ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"""


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """One document a table; what cannot be read is a failure of its own."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            connection.deserialize(data)
            connection.execute("PRAGMA trusted_schema = OFF")
            tables = [str(row[0]) for row in connection.execute(_TABLES)]
        except sqlite3.Error as error:
            yield ParseFailure(name, f"no readable SQLite file ({error}): save it again")
            return
        if not tables:
            yield ParseFailure(name, "no tables in it: nothing to read")
        used = 0
        for table in tables:
            try:
                columns, rows = _read(connection, table, limits.cells - used)
            except sqlite3.Error as error:
                yield ParseFailure(f"{name}#{table}", f"cannot be read ({error}): save it again")
                continue
            used += len(columns) * len(rows)
            if used > limits.cells:
                told = f"more than {limits.cells} cells: split it or raise PILOTFISH_LIMITS__CELLS"
                yield ParseFailure(f"{name}#{table}", told)
                return
            title = f"{stem(name)}: {table}"
            value = {"id": f"{name}#{table}", "title": title, "columns": columns, "rows": rows}
            yield table_of(value, name)


def _read(
    connection: sqlite3.Connection, table: str, most: int
) -> tuple[list[str], list[list[object]]]:
    """(columns, rows) of a table; one row more than `most` cells allow."""
    quoted = '"' + table.replace('"', '""') + '"'
    cursor = connection.execute(f"SELECT * FROM {quoted}")
    columns = [column[0] for column in cursor.description]
    rows = [[_cell(one) for one in row] for row in cursor.fetchmany(most // len(columns) + 1)]
    return columns, rows


def _cell(value: object) -> object:
    """As people read it: no bytes, no .0 after whole numbers."""
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return int(value) if isinstance(value, float) and value.is_integer() else value
