"""What the page reads to show a place in a document: its surroundings, its passage, its table rows.

Not here: whole documents (documents.py), and what may be cited (passages.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from pilotfish.errors import NotFound
from store.schema import documents, passages, table_rows, tables


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters [start, start + len(text)) of a document that has `characters` of them."""

    document: str
    title: str
    source: str
    characters: int
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, and where it is written in the document's text."""

    number: int
    start: int
    end: int
    cells: tuple[str, ...]


def stretch(connection: Connection, collection_id: int, key: str, start: int, end: int) -> Stretch:
    """The document's characters [start, end), as far as there are any; NotFound names the key."""
    d, start = documents.c, max(0, start)
    text = func.substr(d.text, start + 1, max(0, end - start))
    query = select(d.title, d.source, func.length(d.text), text).where(
        d.collection_id == collection_id, d.key == key
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"no document {key!r}: it was removed, or never added")
    return Stretch(key, row[0], row[1], int(row[2]), start, row[3] or "")


def passage_around(
    connection: Connection, collection_id: int, key: str, start: int, end: int
) -> tuple[int, int]:
    """(start, end) of the smallest passage that holds [start, end); these without one."""
    p, d = passages.c, documents.c
    query = (
        select(p.start, p.end)
        .join_from(passages, documents, d.id == p.document_id)
        .where(d.collection_id == collection_id, d.key == key, p.start <= start, p.end >= end)
        .order_by(p.end - p.start)
        .limit(1)
    )
    row = connection.execute(query).first()
    return (start, end) if row is None else (int(row[0]), int(row[1]))


def rows_around(
    connection: Connection, place: tuple[int, str, str], start: int, end: int, beside: int = 2
) -> tuple[list[str], list[Row]]:
    """(columns, rows) of a table: those written in [start, end), and `beside` on either side.

    place: (collection id, document's key, table's name); nothing where there is no such table.
    """
    collection_id, key, name = place
    t, r, d = tables.c, table_rows.c, documents.c
    found = connection.execute(
        select(t.id, t.columns)
        .join_from(tables, documents, d.id == t.document_id)
        .where(d.collection_id == collection_id, d.key == key, t.name == name)
    ).first()
    if found is None:
        return [], []
    mine = r.table_id == found.id
    lit = (r.start < end) & (r.end > start)
    query = select(func.min(r.ordinal), func.max(r.ordinal)).where(mine, lit)
    first, last = connection.execute(query).one()
    if first is None:
        return [], []
    near = r.ordinal.between(first - beside, last + beside)
    query = select(r.number, r.start, r.end, r.cells).where(mine, near).order_by(r.ordinal)
    return list(found.columns), [_row(row) for row in connection.execute(query)]


def _row(row: Any) -> Row:
    return Row(row.number, row.start, row.end, tuple(str(cell) for cell in row.cells))


def row_span(
    connection: Connection, place: tuple[int, str, str], number: int
) -> tuple[int, int] | None:
    """(start, end) of a table's row by its number; place: as in rows_around."""
    collection_id, key, name = place
    t, r, d = tables.c, table_rows.c, documents.c
    query = (
        select(r.start, r.end)
        .join_from(table_rows, tables, t.id == r.table_id)
        .join(documents, d.id == t.document_id)
        .where(d.collection_id == collection_id, d.key == key, t.name == name)
        .where(r.number == number)
    )
    row = connection.execute(query).first()
    return None if row is None else (int(row[0]), int(row[1]))
