"""Tables as they are stored: found by id, read whole, cells read again.

Not here: putting them (documents.py), what their cells mean (retrievers/tableqa/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from store.schema import documents, passages, table_rows, tables

Place = tuple[str, str]  # document, table
_D, _T, _R = documents.c, tables.c, table_rows.c


@dataclass(frozen=True, slots=True)
class StoredTable:
    """`numbers[i]` is row i's number in its source, `spans[i]` its place in the document's text."""

    document: str
    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


def find(
    connection: Connection, collection_id: int, reference: str, name: str | None = None
) -> StoredTable | None:
    """The table of that id: a document's only or first table, or a table's own name.

    `name`: the table of that name in the document `reference`.
    """
    query = select(_T.id, _D.key, _T.name, _T.title, _T.columns).join_from(
        tables, documents, _D.id == _T.document_id
    )
    query = query.where(_D.collection_id == collection_id).order_by(_T.id).limit(1)
    if name is not None:
        tried = [query.where(_D.key == reference, _T.name == name)]
    else:
        tried = [query.where(_D.key == reference), query.where(_T.name == reference)]
    for one in tried:
        if row := connection.execute(one).first():
            return _read(connection, *row)
    return None


def _read(
    connection: Connection, table_id: int, key: str, name: str, title: str, columns: list[str]
) -> StoredTable:
    query = select(_R.number, _R.start, _R.end, _R.cells).where(_R.table_id == table_id)
    rows = connection.execute(query.order_by(_R.ordinal)).all()
    return StoredTable(
        key, name, title, tuple(columns), tuple(tuple(row.cells) for row in rows),
        tuple(row.number for row in rows), tuple((row.start, row.end) for row in rows),
    )  # fmt: skip


def count(connection: Connection, collection_id: int) -> int:
    """How many tables the collection has."""
    query = select(func.count()).join_from(tables, documents, _D.id == _T.document_id)
    return int(connection.scalar(query.where(_D.collection_id == collection_id)) or 0)


def cells(
    connection: Connection,
    collection_id: int,
    place: tuple[str, str],
    rows: Sequence[int],
    columns: Sequence[str],
) -> tuple[tuple[str, ...], ...] | None:
    """The cells at these row numbers and columns of (document, table); None if any is not there."""
    document, name = place
    query = (
        select(_T.columns, _R.number, _R.cells)
        .join_from(table_rows, tables, _T.id == _R.table_id)
        .join(documents, _D.id == _T.document_id)
        .where(_D.collection_id == collection_id, _D.key == document, _T.name == name)
        .where(_R.number.in_(list(rows)))
    )  # fmt: skip
    found = {number: (names, row) for names, number, row in connection.execute(query)}
    if any(number not in found for number in rows):
        return None
    read = []
    for number in rows:
        names, row = found[number]
        if any(column not in names for column in columns):
            return None
        read.append(tuple(row[names.index(column)] for column in columns))
    return tuple(read)


def passage_ids(
    connection: Connection, collection_id: int, table: StoredTable
) -> dict[int | None, int]:
    """Row number -> passage; None -> the card of a table that is found as one thing."""
    p = passages.c
    query = (
        select(p.row, func.min(p.id))
        .join_from(passages, documents, _D.id == p.document_id)
        .where(_D.collection_id == collection_id, _D.key == table.document)
        .where(p.table_name == table.name)
        .group_by(p.row)
    )
    return {row: int(i) for row, i in connection.execute(query)}
