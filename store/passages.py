"""Passages and their vectors: what indexes are built from and results are read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)

from pilotfish.types import Passage, Place
from store import triples
from store.among import among, filled
from store.collections import Collection
from store.prepared import Prepared
from store.schema import documents, passages, tombstones, vectors
from store.upsert import insert_new

CHUNK = 5000  # ids in one IN list; SQLite allows 32,766 parameters


def drop_passages(
    connection: Connection, collection_id: int, revision: int, ids: list[int]
) -> None:
    """Remove the passages of these documents; their vectors too unless still used."""
    mine = passages.c.document_id.in_(ids)
    shas = list(connection.scalars(select(passages.c.embed_sha).where(mine)))
    dead = select(passages.c.id, literal(collection_id), literal(revision)).where(mine)
    connection.execute(
        insert(tombstones).from_select(["passage_id", "collection_id", "revision"], dead)
    )
    connection.execute(delete(passages).where(mine))
    _drop_unused(connection, shas)


def _drop_unused(connection: Connection, shas: Sequence[str]) -> None:
    """Remove those of these vectors that no passage has."""
    used = exists(select(1).where(passages.c.embed_sha == vectors.c.embed_sha))
    for some in chunks(shas):
        connection.execute(delete(vectors).where(vectors.c.embed_sha.in_(some), ~used))


_P, _D = passages.c, documents.c
_COLUMNS = (
    _P.id, _P.text, _D.key, _P.start, _P.end, _P.page, _P.heading, _P.table_name, _P.row, _P.kind
)  # fmt: skip
# Made once: building a statement takes longer than running it.
_FETCH = (
    select(*_COLUMNS, documents.c.title)
    .join_from(passages, documents, documents.c.id == passages.c.document_id)
    .where(passages.c.id.in_(bindparam("ids", expanding=True)))
)
_THERE = Prepared(select(func.count()).where(among(passages.c.id)))


def fetch(connection: Connection, ids: Sequence[int]) -> dict[int, Passage]:
    """The passages of these ids that still exist, with score 0."""
    found: dict[int, Passage] = {}
    for some in chunks(ids):
        for row in connection.execute(_FETCH, {"ids": list(some)}):
            found[row[0]] = _passage(*row)
    return found


def missing(connection: Connection, ids: Sequence[int]) -> int:
    """How many of these passages are gone; ids are never used again, so gone is for ever."""
    wanted = sorted({i for i in ids if i > 0})
    found = 0
    for some in filled(wanted):
        found += int(_THERE.scalar(connection, some) or 0)
    edges = [triples.passage_id(i) for i in ids if i < 0]
    return len(wanted) - found + (triples.missing(connection, edges) if edges else 0)


def _passage(*row: Any) -> Passage:
    i, text, key, start, end, page, heading, table, number, kind, title = row
    place = Place(page, tuple(heading), table, (number,) if number is not None else ())
    return Passage(i, text, key, start, end, place, kind, 0.0, title)


@dataclass(frozen=True, slots=True)
class Since:
    """Changes of a collection after one revision, up to and with another."""

    collection_id: int
    after: int
    upto: int

    def within(self, table: Table) -> ColumnElement[bool]:
        """The condition on a table with collection_id and revision."""
        c = table.c
        mine = c.collection_id == self.collection_id
        return mine & (c.revision > self.after) & (c.revision <= self.upto)


def ready_revision(connection: Connection, collection: Collection, encoder: str) -> int:
    """The newest revision up to which every passage has its vector."""
    query = select(func.min(passages.c.revision)).where(_unembedded(collection.id, encoder))
    first = connection.scalar(query)
    return collection.revision if first is None else int(first) - 1


def added_since(connection: Connection, since: Since) -> Iterator[tuple[int, str, str]]:
    """(id, context, text that is searched by words) of the passages that came, oldest first."""
    whole = func.substr(documents.c.text, _P.start + 1, _P.reach - _P.start)
    query = (
        select(_P.id, _P.context, case((_P.reach.is_(None), _P.text), else_=whole))
        .join_from(passages, documents, documents.c.id == _P.document_id)
        .where(since.within(passages))
        .order_by(_P.id)
    )
    return ((i, context, text) for i, context, text in connection.execute(query))


def count_removed(connection: Connection, since: Since) -> int:
    """How many passages went."""
    query = select(func.count()).where(since.within(tombstones))
    return int(connection.scalar(query) or 0)


def removed_since(connection: Connection, since: Since) -> list[int]:
    """Ids of the passages that went."""
    query = select(tombstones.c.passage_id).where(since.within(tombstones))
    return list(connection.scalars(query))


def sweep_tombstones(connection: Connection, collection_id: int, revision: int) -> None:
    """Forget removals that every index of the collection has seen."""
    connection.execute(delete(tombstones).where(
        tombstones.c.collection_id == collection_id, tombstones.c.revision <= revision
    ))  # fmt: skip


def _unembedded(collection_id: int, encoder: str) -> ColumnElement[bool]:
    has = exists(select(1).where(
        vectors.c.encoder == encoder, vectors.c.embed_sha == passages.c.embed_sha
    ))  # fmt: skip
    return (passages.c.collection_id == collection_id) & ~has


def count_unembedded(connection: Connection, collection_id: int, encoder: str) -> int:
    """How many passages have no vector of this encoder yet."""
    query = select(func.count()).select_from(passages).where(_unembedded(collection_id, encoder))
    return int(connection.scalar(query) or 0)


def unembedded(
    connection: Connection, collection_id: int, encoder: str, limit: int
) -> list[tuple[str, str]]:
    """(embed_sha, context + text) of up to `limit` passages without a vector."""
    query = select(passages.c.embed_sha, passages.c.context, passages.c.text).where(
        _unembedded(collection_id, encoder)
    ).order_by(passages.c.id).limit(limit)  # fmt: skip
    return list({sha: (sha, joined(c, t)) for sha, c, t in connection.execute(query)}.values())


def joined(context: str, text: str) -> str:
    """What is searched: the context (title, headings) and the text."""
    return f"{context}\n{text}" if context else text


def put_vectors(connection: Connection, encoder: str, rows: Iterable[tuple[str, bytes]]) -> None:
    """Store vectors (float16, little endian) of passages that still exist."""
    values = [{"encoder": encoder, "embed_sha": sha, "vector": blob} for sha, blob in rows]
    if values:
        insert_new(connection, vectors, values)
        _drop_unused(connection, [str(row["embed_sha"]) for row in values])


def vectors_since(
    connection: Connection, since: Since, encoder: str
) -> Iterator[tuple[int, bytes]]:
    """(passage id, vector) of the passages that came, oldest first."""
    query = (
        select(passages.c.id, vectors.c.vector)
        .join_from(passages, vectors, vectors.c.embed_sha == passages.c.embed_sha)
        .where(since.within(passages), vectors.c.encoder == encoder)
        .order_by(passages.c.id)
    )
    for row in connection.execute(query):
        yield row.id, row.vector


def drop_vectors(connection: Connection, keep: Sequence[str]) -> None:
    """Forget the vectors of encoders that no collection uses any more."""
    connection.execute(delete(vectors).where(vectors.c.encoder.not_in(keep)))


def count(connection: Connection, collection_id: int) -> int:
    """How many passages the collection has."""
    query = select(func.count()).where(passages.c.collection_id == collection_id)
    return int(connection.scalar(query) or 0)


def of_kind(connection: Connection, collection_id: int, kind: str) -> list[int]:
    """The ids of the passages of one kind, ascending."""
    query = select(_P.id).where(_P.collection_id == collection_id, _P.kind == kind)
    return list(connection.scalars(query.order_by(_P.id)))


def of_documents(
    connection: Connection, collection_id: int, keys: Sequence[str]
) -> dict[str, list[int]]:
    """The ids of the passages of these documents; documents that are not there are left out."""
    query = (
        select(documents.c.key, passages.c.id)
        .join_from(passages, documents, documents.c.id == passages.c.document_id)
        .where(passages.c.collection_id == collection_id)
        .order_by(passages.c.id)
    )
    found: dict[str, list[int]] = {}
    for some in chunks(list(dict.fromkeys(keys))):
        for key, one in connection.execute(query.where(documents.c.key.in_(some))):
            found.setdefault(key, []).append(one)
    return found


def all_ids(connection: Connection, collection_id: int) -> list[int]:
    """Every passage id of the collection, ascending."""
    query = select(passages.c.id).where(passages.c.collection_id == collection_id)
    return list(connection.scalars(query.order_by(passages.c.id)))


def misquoted(connection: Connection, collection_id: int) -> int:
    """How many passages differ from their document's slice; 0 in a sound database."""
    p, d = passages.c, documents.c
    piece = func.substr(d.text, p.start + 1, p.end - p.start)
    query = select(func.count()).select_from(passages.join(documents, d.id == p.document_id)).where(
        p.collection_id == collection_id, piece != p.text
    )  # fmt: skip
    return int(connection.scalar(query) or 0)


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in pieces that fit into one statement."""
    for at in range(0, len(values), CHUNK):
        yield values[at : at + CHUNK]
