"""Databases that a collection's questions may be asked of, where they lie: put, listed, dropped.

Not here: opening or asking them (retrievers/attached.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from store.schema import attachments
from store.upsert import put as put_row

_A = attachments.c


@dataclass(frozen=True, slots=True)
class Attachment:
    """`place`: an absolute path, or a Postgres URL without a password. `granted`: the only tables
    that may be read; None: all. `created` in seconds since the epoch.
    """

    name: str
    engine: str
    place: str
    schema: str = ""
    granted: tuple[str, ...] | None = None
    created: float = 0.0


def put(connection: Connection, collection_id: int, new: Attachment) -> None:
    """Store it, in place of one of that name."""
    put_row(connection, attachments, {
        "collection_id": collection_id, "name": new.name, "engine": new.engine,
        "place": new.place, "schema": new.schema,
        "granted": list(new.granted) if new.granted is not None else None,
        "created": time.time(),
    })  # fmt: skip


def every(connection: Connection, collection_id: int) -> list[Attachment]:
    """All of a collection, by name."""
    query = select(_A.name, _A.engine, _A.place, _A.schema, _A.granted, _A.created).where(
        _A.collection_id == collection_id
    )
    rows = connection.execute(query.order_by(_A.name))
    return [
        Attachment(*row[:4], tuple(row[4]) if row[4] is not None else None, row[5]) for row in rows
    ]


def drop(connection: Connection, collection_id: int, names: Sequence[str]) -> int:
    """Forget them; how many there were."""
    gone = connection.execute(
        delete(attachments).where(_A.collection_id == collection_id, _A.name.in_(list(names)))
    )
    return int(gone.rowcount)
