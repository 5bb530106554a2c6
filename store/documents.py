"""Documents and their tables: put, find, list, remove. Remove means gone everywhere.

A document goes in with its passages in one transaction; what an index may still hold
becomes a tombstone. Not here: cutting text into passages (corpus/split.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, Text, bindparam, delete, func, insert, select, update

from pilotfish.errors import NotFound
from store import labels, quarantine, triples
from store.among import among, filled
from store.incoming import NewDocument, NewHeld, NewPassage, NewTable
from store.passages import chunks, drop_passages
from store.prepared import Prepared
from store.schema import documents, items, ledger, mentions, passages, sources, table_rows, tables
from store.upsert import found_new, insert_new
from store.upsert import put as put_row

# Made once: building a statement takes longer than running it.
_HERE = documents.c.collection_id == bindparam("collection")
_NAMES = ("document_id", "kind", "ref")
_MENTIONED = select(
    documents.c.id, bindparam("kind", type_=Text), bindparam("ref", type_=Integer)
).where(_HERE, among(documents.c.key))
_MENTION = found_new(mentions, _NAMES, _MENTIONED)
_SLICE = Prepared(select(
    func.substr(documents.c.text, bindparam("from", type_=Integer),
                bindparam("count", type_=Integer))
).where(_HERE, documents.c.key == bindparam("key")))  # fmt: skip


def fingerprints(connection: Connection, collection_id: int, keys: Sequence[str]) -> dict[str, str]:
    """key -> content hash of those documents that are stored."""
    query = select(documents.c.key, documents.c.sha256).where(
        documents.c.collection_id == collection_id, documents.c.key.in_(keys)
    )
    return {row.key: row.sha256 for row in connection.execute(query)}


def put(connection: Connection, collection_id: int, revision: int, new: NewDocument) -> None:
    """Store the document, in place of one with the same key; what was released stays so."""
    freed = quarantine.freed(connection, collection_id, new.key) if new.held else set()
    drop(connection, collection_id, revision, [new.key])
    connection.execute(insert(documents).values(**_document_row(collection_id, new)))
    document_id = _id(connection, collection_id, new.key)
    owned = {"collection_id": collection_id, "document_id": document_id}
    free = [one.passage for one in new.held if one.passage.embed_sha in freed]
    rows = [_passage_row(p) | owned | {"revision": revision} for p in (*new.passages, *free)]
    if rows:
        connection.execute(insert(passages), rows)
    quarantine.hold(connection, owned, [_held_row(one) for one in new.held], freed)
    for table in new.tables:
        _put_table(connection, document_id, table)
    triples.put(connection, owned, new.triples)


def _document_row(collection_id: int, new: NewDocument) -> dict[str, object]:
    names = ("key", "title", "source", "media_type", "sha256", "text", "layout")
    row = {name: getattr(new, name) for name in names}
    return row | {
        "collection_id": collection_id,
        "metadata": dict(new.metadata),
        "warnings": list(new.warnings),
        "added": time.time(),
    }


def _passage_row(passage: NewPassage) -> dict[str, object]:
    row = {name: getattr(passage, name) for name in NewPassage.__slots__}
    return row | {"heading": list(passage.heading)}


def _held_row(one: NewHeld) -> dict[str, object]:
    place = {"start": one.start, "end": one.end, "score": one.score}
    return place | {"passage": _passage_row(one.passage), "embed_sha": one.passage.embed_sha}


def _put_table(connection: Connection, document_id: int, table: NewTable) -> None:
    columns = list(table.columns)
    row = {"document_id": document_id, "name": table.name, "title": table.title}
    done = connection.execute(insert(tables).values(**row, columns=columns))
    (table_id,) = done.inserted_primary_key or (None,)
    rows = [
        {"table_id": table_id, "ordinal": ordinal, "number": r.number, "start": r.start,
         "end": r.end, "cells": list(r.cells)}
        for ordinal, r in enumerate(table.rows)
    ]  # fmt: skip
    if rows:
        connection.execute(insert(table_rows), rows)


def _id(connection: Connection, collection_id: int, key: str) -> int:
    found = connection.scalar(
        select(documents.c.id).where(
            documents.c.collection_id == collection_id, documents.c.key == key
        )
    )
    if found is None:
        raise NotFound(f"no document {key!r}: see pilotfish list")
    return int(found)


def drop(connection: Connection, collection_id: int, revision: int, keys: Iterable[str]) -> int:
    """Remove documents and all that came from them; give how many there were."""
    count = 0
    for some in chunks(list(keys)):
        query = select(documents.c.id).where(
            documents.c.collection_id == collection_id, documents.c.key.in_(some)
        )
        if ids := list(connection.scalars(query)):
            _forget_quotes(connection, ids)
            drop_passages(connection, collection_id, revision, ids)
            connection.execute(delete(documents).where(documents.c.id.in_(ids)))
        count += len(ids)
    return count


def _forget_quotes(connection: Connection, ids: list[int]) -> None:
    """Answers and replies that may quote the documents lose their text; money and hashes stay."""
    for kind, table, emptied in (
        ("item", items, {"result": None, "state": "forgotten"}),
        ("call", ledger, {"reply": None}),
    ):
        quoting = select(mentions.c.ref).where(
            mentions.c.document_id.in_(ids), mentions.c.kind == kind
        )
        if kind == "item":
            labels.forget(connection, quoting)
        connection.execute(update(table).where(table.c.id.in_(quoting)).values(**emptied))


def mention(
    connection: Connection, collection_id: int, keys: Iterable[str], kind: str, ref: int
) -> None:
    """Note that an answer (kind 'item') or a reply (kind 'call') may quote these documents."""
    row = {"collection": collection_id, "kind": kind, "ref": ref}
    for some in filled(sorted(set(keys))):
        _MENTION.run(connection, row | some)


def mention_passages(connection: Connection, ids: Sequence[int], kind: str, ref: int) -> None:
    """The same of the documents of these passages, of whichever collection."""
    for some in chunks(sorted({one for one in ids if one > 0})):
        found = connection.scalars(
            select(passages.c.document_id).where(passages.c.id.in_(some)).distinct()
        )
        rows = [{"document_id": one, "kind": kind, "ref": ref} for one in found]
        insert_new(connection, mentions, rows)


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A file added before. `documents` it gave, of which `stored` are there now."""

    name: str
    sha256: str
    documents: int
    stored: int
    path: str | None


def source(connection: Connection, collection_id: int, name: str) -> KnownSource | None:
    """The file of that name that was added before."""
    row = connection.execute(
        select(sources.c.sha256, sources.c.documents, sources.c.path).where(
            sources.c.collection_id == collection_id, sources.c.name == name
        )
    ).first()
    if row is None:
        return None
    return KnownSource(name, row[0], row[1], _stored(connection, collection_id, name), row[2])


def source_at(connection: Connection, collection_id: int, path: str) -> KnownSource | None:
    """The file that was added from there, if any of its documents is stored."""
    names = connection.scalars(
        select(sources.c.name).where(
            sources.c.collection_id == collection_id, sources.c.path == path
        )
    )
    known = (source(connection, collection_id, name) for name in names.all())
    return next((one for one in known if one and one.stored), None)


def _stored(connection: Connection, collection_id: int, name: str) -> int:
    mine = (documents.c.collection_id == collection_id) & (documents.c.source == name)
    return int(connection.scalar(select(func.count()).where(mine)) or 0)


def put_source(
    connection: Connection, collection_id: int, name: str, sha: str, path: str | None = None
) -> None:
    """Remember a file that was read to its end without a failure, and how many it gave."""
    key = {"collection_id": collection_id, "name": name, "sha256": sha, "path": path}
    count = _stored(connection, collection_id, name)
    put_row(connection, sources, {**key, "documents": count})


def keys_of_source(connection: Connection, collection_id: int, name: str) -> list[str]:
    """The documents that a file gave."""
    query = select(documents.c.key).where(
        documents.c.collection_id == collection_id, documents.c.source == name
    )
    return list(connection.scalars(query))


def from_elsewhere(
    connection: Connection, collection_id: int, keys: Sequence[str], name: str
) -> list[str]:
    """Those of the documents that another file than `name` gave."""
    query = select(documents.c.key).where(
        documents.c.collection_id == collection_id,
        documents.c.key.in_(keys),
        documents.c.source != name,
    )
    return list(connection.scalars(query))


def move(connection: Connection, collection_id: int, keys: Sequence[str], name: str) -> None:
    """Say that these documents, as they stand, are now those of the file `name`."""
    mine = (documents.c.collection_id == collection_id) & documents.c.key.in_(keys)
    connection.execute(update(documents).where(mine).values(source=name))


def listing(connection: Connection, collection_id: int) -> list[dict[str, object]]:
    """One dict a document: id, title, source, type, counts, metadata, warnings."""
    d = documents.c
    count = select(func.count()).where(passages.c.document_id == d.id).scalar_subquery()
    sheets = select(func.count()).where(tables.c.document_id == d.id).scalar_subquery()
    query = select(
        d.key.label("id"), d.title, d.source, d.media_type, func.length(d.text).label("characters"),
        count.label("passages"), sheets.label("tables"), d.metadata, d.warnings,
        quarantine.count_of(d.id).label("quarantined"),
    ).where(d.collection_id == collection_id).order_by(d.id)  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(query)]


def show(connection: Connection, collection_id: int, key: str) -> dict[str, object]:
    """The whole document with its text and tables; NotFound names the key."""
    document_id = _id(connection, collection_id, key)
    row = connection.execute(select(documents).where(documents.c.id == document_id)).one()
    sheets = connection.execute(select(tables).where(tables.c.document_id == document_id)).all()
    names = ("title", "source", "media_type", "sha256", "metadata", "warnings", "text")
    shown = {name: row._mapping[name] for name in names}
    return {"id": key, **shown, "tables": [
        {"name": t.name, "title": t.title, "columns": t.columns,
         "rows": _row_count(connection, t.id)} for t in sheets
    ]}  # fmt: skip


def _row_count(connection: Connection, table_id: int) -> int:
    return int(
        connection.scalar(select(func.count()).where(table_rows.c.table_id == table_id)) or 0
    )


def slice_of(
    connection: Connection, collection_id: int, key: str, start: int, end: int
) -> str | None:
    """The characters [start, end) of the stored text, None when the document is gone."""
    wanted = {"collection": collection_id, "key": key, "from": start + 1, "count": end - start}
    found: str | None = _SLICE.scalar(connection, wanted)
    return found
