"""Edges in the database: stored with their document, read again, gone with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotfish.types import Place
from store import collections, documents, passages, triples, tuned
from store.database import Database
from store.incoming import BETWEEN, GRAPH, NewDocument, NewTriple

EDGES = [("a", "likes", "b"), ("b", "likes", "c")]


def document(key: str, edges: list[tuple[str, str, str]], media_type: str = GRAPH) -> NewDocument:
    lines = [BETWEEN.join(edge) for edge in edges]
    at, laid = 0, []
    for edge, line in zip(edges, lines, strict=True):
        laid.append(NewTriple(*edge, at, at + len(line)))
        at += len(line) + 1
    text = "\n".join(lines)
    return NewDocument(
        key, key, key, media_type, key, text, [], {}, (), (), (), triples=tuple(laid)
    )


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "x.db", create=True)


def stored(database: Database, *new: NewDocument) -> int:
    with database.write() as connection:
        here = collections.ensure(connection, "default", "enc", 100).id
        for one in new:
            documents.put(connection, here, collections.bump(connection, here), one)
    return here


@pytest.mark.parametrize("media_type", [GRAPH, "text/plain"])
def test_an_edge_is_a_passage_of_exactly_its_line(database: Database, media_type: str) -> None:
    here = stored(database, document("g", EDGES, media_type))
    with database.read() as connection:
        rows = list(triples.every(connection, here))
        assert [row[1:] for row in rows] == EDGES
        found = triples.fetch(connection, [row[0] for row in rows])
        for edge, passage in zip(EDGES, found.values(), strict=True):
            there = documents.slice_of(connection, here, "g", passage.start, passage.end)
            assert passage.text == there == BETWEEN.join(edge)
            assert passage.place == Place(triple=edge) and passage.kind == "triple"


def test_edges_go_with_their_document_and_are_missed(database: Database) -> None:
    here = stored(database, document("g", EDGES), document("h", [("x", "is", "y")]))
    with database.read() as connection:
        ids = [triples.passage_id(row[0]) for row in triples.every(connection, here)]
        before = triples.mark(connection, here)
        assert passages.missing(connection, ids) == 0
    with database.write() as connection:
        documents.drop(connection, here, collections.bump(connection, here), ["g"])
    with database.read() as connection:
        assert passages.missing(connection, ids) == 2
        assert triples.mark(connection, here) != before
        assert not triples.stands(connection, here, "g", EDGES[0])
        assert triples.stands(connection, here, "h", ("x", "is", "y"))


def test_what_was_fitted_is_kept_by_name_and_replaced(database: Database) -> None:
    here = stored(database)
    with database.write() as connection:
        tuned.put(connection, here, "graph", 3, b"old")
        tuned.put(connection, here, "graph", 5, b"new")
    with database.read() as connection:
        kept = tuned.of(connection, here, "graph")
        assert kept is not None and (kept.labels, kept.body) == (5, b"new")
        assert tuned.made(connection, here, "graph") == kept.created
        assert tuned.of(connection, here, "tables") is None
        assert tuned.made(connection, here, "tables") == 0.0
