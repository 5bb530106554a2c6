"""Edges of graphs: put, read whole, read again by id. They go with their document.

Passages that are edges have ids below zero (`passage_id`): they are never taken for passages of
text. Not here: walking (retrievers/graph/).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, insert, select

from pilotfish.types import Passage, Place
from store.incoming import BETWEEN, GRAPH, NewTriple
from store.schema import documents, triples

_T, _D = triples.c, documents.c
_EACH = 20_000  # rows of one statement
_IDS = 5_000  # ids in one IN list
_COLUMNS = (_T.id, _T.subject, _T.relation, _T.object, _T.start, _T.end)
# Cutting a line out of megabytes takes milliseconds, and what it says is known.
_TEXT = case((_D.media_type == GRAPH, None), else_=func.substr(_D.text, _T.start + 1,
                                                             _T.end - _T.start))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """What a graph in memory was read from: any change of the edges changes it."""

    count: int
    newest: int


def passage_id(triple: int) -> int:
    """The passage id of an edge, and back again."""
    return -triple


def put(connection: Connection, owned: Mapping[str, int], new: Sequence[NewTriple]) -> None:
    """Store the edges of one document."""
    for at in range(0, len(new), _EACH):
        rows = [
            {**owned, "subject": t.subject, "relation": t.relation, "object": t.object,
             "start": t.start, "end": t.end}
            for t in new[at : at + _EACH]
        ]  # fmt: skip
        connection.execute(insert(triples), rows)


def mark(connection: Connection, collection_id: int) -> Mark:
    """How many edges the collection has, and the newest id: ids are never used again."""
    query = select(func.count(), func.max(_T.id)).where(_T.collection_id == collection_id)
    count, newest = connection.execute(query).one()
    return Mark(int(count), int(newest or 0))


def every(connection: Connection, collection_id: int) -> Iterator[tuple[int, str, str, str]]:
    """(id, subject, relation, object) of every edge, oldest first."""
    query = select(_T.id, _T.subject, _T.relation, _T.object)
    query = query.where(_T.collection_id == collection_id).order_by(_T.id)
    rows = connection.execute(query).yield_per(_EACH)
    return ((i, subject, relation, other) for i, subject, relation, other in rows)


def fetch(connection: Connection, ids: Sequence[int]) -> dict[int, Passage]:
    """The edges of these ids that still exist, as passages of kind triple, by edge id.

    Their text is what carries them: the slice [start, end) of the document.
    """
    found: dict[int, Passage] = {}
    query = select(*_COLUMNS, _D.key, _D.title, _TEXT)
    query = query.join_from(triples, documents, _D.id == _T.document_id)
    for at in range(0, len(ids), _IDS):
        some = query.where(_T.id.in_(ids[at : at + _IDS]))
        for i, subject, relation, other, start, end, key, title, text in connection.execute(some):
            edge = (subject, relation, other)
            line = BETWEEN.join(edge) if text is None else text
            place = Place(triple=edge)
            found[i] = Passage(passage_id(i), line, key, start, end, place, "triple", 0.0, title)
    return {i: found[i] for i in ids if i in found}


def missing(connection: Connection, ids: Sequence[int]) -> int:
    """How many of these edges are gone."""
    wanted, found = sorted(set(ids)), 0
    for at in range(0, len(wanted), _IDS):
        query = select(func.count()).where(_T.id.in_(wanted[at : at + _IDS]))
        found += int(connection.scalar(query) or 0)
    return len(wanted) - found


def stands(connection: Connection, collection_id: int, document: str, edge: Sequence[str]) -> bool:
    """Whether the document of that key has this (subject, relation, object) now."""
    subject, relation, other = edge
    query = (
        select(_T.id)
        .join_from(triples, documents, _D.id == _T.document_id)
        .where(_D.collection_id == collection_id, _D.key == document)
        .where(_T.subject == subject, _T.relation == relation, _T.object == other)
        .limit(1)
    )
    return connection.scalar(query) is not None
