"""What was fitted to a collection, by name: bytes, how many labels, when.

Not here: what the bytes mean (retrievers/graph/tune.py, pipeline/tuning.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, select

from store.calibrations import told
from store.schema import tuned
from store.upsert import put as put_row


@dataclass(frozen=True, slots=True)
class Tuned:
    """`created` in seconds since the epoch."""

    labels: int
    body: bytes
    created: float

    @property
    def where(self) -> str:
        """What answers say of it."""
        return told(self.labels, self.created)


def put(connection: Connection, collection_id: int, name: str, labels: int, body: bytes) -> Tuned:
    """Store it, in place of the one before."""
    kept = Tuned(labels, body, time.time())
    put_row(connection, tuned, {
        "collection_id": collection_id, "name": name, "labels": labels, "body": body,
        "created": kept.created,
    })  # fmt: skip
    return kept


def of(connection: Connection, collection_id: int, name: str) -> Tuned | None:
    """What was fitted under that name; None: nothing was."""
    query = select(tuned.c.labels, tuned.c.body, tuned.c.created).where(
        tuned.c.collection_id == collection_id, tuned.c.name == name
    )
    row = connection.execute(query).first()
    return None if row is None else Tuned(*row)


def made(connection: Connection, collection_id: int, name: str) -> float:
    """When it was fitted, seconds since the epoch; 0: nothing was."""
    query = select(tuned.c.created).where(
        tuned.c.collection_id == collection_id, tuned.c.name == name
    )
    return float(connection.scalar(query) or 0.0)
