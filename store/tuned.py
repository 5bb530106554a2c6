"""What was fitted to a collection, by name: bytes, how many labels, when, how well it did.

Not here: what the bytes mean (retrievers/graph/tune.py, pipeline/tuning.py).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, func, select

from store.calibrations import told
from store.schema import collections, tuned
from store.upsert import put as put_row


@dataclass(frozen=True, slots=True)
class Tuned:
    """`created` in seconds since the epoch."""

    labels: int
    body: bytes
    created: float
    measured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """What answers say of it."""
        return told(self.labels, self.created)


@dataclass(frozen=True, slots=True)
class Listed:
    """A fitted helper without its bytes. `size` in bytes."""

    collection: str
    name: str
    labels: int
    created: float
    measured: Mapping[str, Any]
    size: int


def put(
    connection: Connection, collection_id: int, name: str, labels: int, body: bytes,
    measured: Mapping[str, Any] | None = None,
) -> Tuned:  # fmt: skip
    """Store it, in place of the one before. measured: plain figures for people."""
    kept = Tuned(labels, body, time.time(), dict(measured or {}))
    put_row(connection, tuned, {
        "collection_id": collection_id, "name": name, "labels": labels, "body": body,
        "created": kept.created, "measured": kept.measured,
    })  # fmt: skip
    return kept


def of(connection: Connection, collection_id: int, name: str) -> Tuned | None:
    """What was fitted under that name; None: nothing was."""
    query = select(tuned.c.labels, tuned.c.body, tuned.c.created, tuned.c.measured).where(
        tuned.c.collection_id == collection_id, tuned.c.name == name
    )
    row = connection.execute(query).first()
    return None if row is None else Tuned(row[0], row[1], row[2], row[3] or {})


def every(connection: Connection) -> list[Listed]:
    """All of the workspace, by collection and name."""
    size = func.length(tuned.c.body)
    query = (
        select(collections.c.name, tuned.c.name, tuned.c.labels, tuned.c.created,
               tuned.c.measured, size)
        .join(collections, collections.c.id == tuned.c.collection_id)
        .order_by(collections.c.name, tuned.c.name)
    )  # fmt: skip
    return [Listed(*row[:4], row[4] or {}, int(row[5])) for row in connection.execute(query)]


def drop(connection: Connection, collection_id: int, name: str) -> bool:
    """Forget it; whether there was one."""
    gone = connection.execute(
        delete(tuned).where(tuned.c.collection_id == collection_id, tuned.c.name == name)
    )
    return bool(gone.rowcount)


def made(connection: Connection, collection_id: int, name: str) -> float:
    """When it was fitted, seconds since the epoch; 0: nothing was."""
    query = select(tuned.c.created).where(
        tuned.c.collection_id == collection_id, tuned.c.name == name
    )
    return float(connection.scalar(query) or 0.0)
