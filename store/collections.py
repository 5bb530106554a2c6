"""Collections: partitions of a workspace, each with its own revision count.

Not here: what lies inside them (documents.py, passages.py).
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from pilotfish.errors import NotFound
from store.prepared import Prepared
from store.schema import collections


@dataclass(frozen=True, slots=True)
class Collection:
    """A row of `collections`. `revision` grows by one with each change of its passages; `uid`
    tells it from the collections of every other database.
    """

    id: int
    name: str
    revision: int
    encoder: str
    split_tokens: int
    uid: str = ""


_COLUMNS = [collections.c[name] for name in Collection.__slots__]
# Made once: building a statement takes longer than running it.
_FIND = Prepared(select(*_COLUMNS).where(collections.c.name == bindparam("name")))


def names(connection: Connection) -> list[str]:
    """All collections of the workspace, in alphabetical order."""
    return list(connection.scalars(select(collections.c.name).order_by(collections.c.name)))


def find(connection: Connection, name: str) -> Collection:
    """The collection of that name; NotFound names those that exist."""
    row = _FIND.first(connection, {"name": name})
    if row is None:
        known = ", ".join(names(connection)) or "none yet"
        raise NotFound(f"no collection {name!r} (there are: {known}): add documents to it first")
    return Collection(*row)


def ensure(connection: Connection, name: str, encoder: str, split_tokens: int) -> Collection:
    """The collection of that name, created with this encoder when new."""
    if name not in names(connection):
        row = {"name": name, "encoder": encoder, "split_tokens": split_tokens}
        row |= {"uid": secrets.token_hex(8)}
        connection.execute(insert(collections).values(**row, revision=0, created=time.time()))
    return find(connection, name)


def bump(connection: Connection, collection_id: int) -> int:
    """Count one change; give the new revision."""
    row = collections.c
    connection.execute(
        update(collections).where(row.id == collection_id).values(revision=row.revision + 1)
    )
    return int(connection.execute(select(row.revision).where(row.id == collection_id)).scalar_one())


def set_encoder(connection: Connection, collection_id: int, encoder: str, tokens: int) -> None:
    """Record which encoder the collection's dense index is built with."""
    connection.execute(
        update(collections)
        .where(collections.c.id == collection_id)
        .values(encoder=encoder, split_tokens=tokens)
    )
