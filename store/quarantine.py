"""Passages that give orders: held, listed, released. Nothing is dropped in silence.

A held passage is in no index, since indexes are built from `passages` alone; its document's text
stays whole. Not here: which passages give orders (corpus/quarantine.py).
"""

from __future__ import annotations

import time
from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, insert, select, update

from store.schema import documents, passages, quarantine

_Q = quarantine.c


@dataclass(frozen=True, slots=True)
class Held:
    """A passage in quarantine; `order` is what it was held for, `released` when a person did so."""

    id: int
    document: str
    start: int
    end: int
    order: str
    score: float
    held: float
    released: float | None


def hold(
    connection: Connection,
    owned: Mapping[str, int],
    rows: Sequence[Mapping[str, object]],
    freed: Some[str] = (),
) -> None:
    """Put rows in; those whose embed_sha was freed before are noted as released already."""
    now = time.time()
    made = [
        {**row, **owned, "held": now, "released": now if row["embed_sha"] in freed else None}
        for row in rows
    ]
    if made:
        connection.execute(insert(quarantine), made)


def freed(connection: Connection, collection_id: int, key: str) -> set[str]:
    """What a person has released of the document: its next version is not held for it again."""
    query = (
        select(_Q.embed_sha)
        .join_from(quarantine, documents, documents.c.id == _Q.document_id)
        .where(_Q.collection_id == collection_id, documents.c.key == key, _Q.released.is_not(None))
    )
    return set(connection.scalars(query))


def listing(connection: Connection, collection_id: int, every: bool = False) -> list[Held]:
    """What is held, oldest first; `every`: what was released too."""
    order = func.substr(documents.c.text, _Q.start + 1, _Q.end - _Q.start)
    query = (
        select(_Q.id, documents.c.key, _Q.start, _Q.end, order, _Q.score, _Q.held, _Q.released)
        .join_from(quarantine, documents, documents.c.id == _Q.document_id)
        .where(_Q.collection_id == collection_id)
        .order_by(_Q.id)
    )
    if not every:
        query = query.where(_Q.released.is_(None))
    return [Held(*row) for row in connection.execute(query)]


def count(connection: Connection, collection_id: int) -> tuple[int, int]:
    """(passages that are held, documents that they are of)."""
    found = select(func.count(), func.count(_Q.document_id.distinct())).where(
        _Q.collection_id == collection_id, _Q.released.is_(None)
    )
    held, of = connection.execute(found).one()
    return int(held), int(of)


def count_of(document: ColumnElement[int]) -> ScalarSelect[int]:
    """How many passages of the document are held, within another statement."""
    mine = (_Q.document_id == document) & _Q.released.is_(None)
    return select(func.count()).select_from(quarantine).where(mine).scalar_subquery()


def release(connection: Connection, collection_id: int, revision: int, ids: Sequence[int]) -> int:
    """Let these passages into the collection with this revision; how many there were."""
    mine = _Q.id.in_(ids) & (_Q.collection_id == collection_id) & _Q.released.is_(None)
    rows = connection.execute(select(_Q.document_id, _Q.passage).where(mine)).all()
    made = [
        {**row.passage, "collection_id": collection_id, "document_id": row.document_id,
         "revision": revision}
        for row in rows
    ]  # fmt: skip
    if made:
        connection.execute(insert(passages), made)
        connection.execute(update(quarantine).where(mine).values(released=time.time()))
    return len(made)
