"""Graphs and tables as files: triples, RDF, tables as JSON lines."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from corpus.formats import triples
from corpus.formats.tables_jsonl import parse as parse_tables
from corpus.parsed import TABLE, Parsed, ParseFailure
from corpus.sandbox import Sandbox
from corpus.split import Splitter
from store.incoming import GRAPH

TURTLE = """@prefix ex: <http://example.org/people/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:bo rdfs:label "Bo Berg" ; ex:worksFor ex:acme_ltd ; a ex:Person .
ex:acme_ltd ex:basedIn "Oslo" .
"""
NTRIPLES = "".join(
    f"<http://example.org/{s}> <http://example.org/{r}> <http://example.org/{o}> .\n"
    for s, r, o in [("a", "knows", "b"), ("b", "knows", "c")]
)
JSONLD = json.dumps({"@id": "http://e.org/x", "http://e.org/likes": [{"@id": "http://e.org/y"}]})
RDFXML = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:e="http://e.org/"><rdf:Description rdf:about="http://e.org/x"><e:likes>tea</e:likes>
</rdf:Description></rdf:RDF>"""


def edges(found: Parsed) -> list[tuple[str, str, str]]:
    return [(t.subject, t.relation, t.object) for t in found.triples]


def test_each_edge_is_carried_by_its_line(read: Any) -> None:
    found = read(b"a\tlikes\tb\nb\tis near\tc d\n", "x.triples.tsv")
    assert edges(found) == [("a", "likes", "b"), ("b", "is near", "c d")]
    lines = [found.text[t.start : t.end] for t in found.triples]
    assert lines == ["a — likes — b", "b — is near — c d"]
    assert found.media_type == GRAPH and found.title == "x"


def test_a_header_doubles_and_broken_lines_are_no_edges(read: Any) -> None:
    found = read(b"subject,relation,object\na,b,c\na,b,c\nonly,two\na,,c\n", "x.triples.csv")
    assert edges(found) == [("a", "b", "c")]
    assert found.warnings == ("2 lines are not subject, relation, object (line 4, 5): left out",)


def test_a_file_without_any_edge_is_a_failure(refuse: Any) -> None:
    why = refuse(b"just words\n", "x.triples.tsv")
    assert "subject, relation, object" in why


def test_a_large_graph_becomes_several_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triples, "PART", 2)
    data = "".join(f"a{i}\tr\tb{i}\n" for i in range(5)).encode()
    parts = [one for one in triples.parse(data, "g.triples.tsv") if isinstance(one, Parsed)]
    assert [one.id for one in parts] == ["g.triples.tsv:1", "g.triples.tsv:2", "g.triples.tsv:3"]
    assert [len(one.triples) for one in parts] == [2, 2, 1]


@pytest.mark.parametrize(
    ("data", "name", "wanted"),
    [
        (TURTLE, "g.ttl", [("Bo Berg", "is a", "Person"), ("Bo Berg", "works for", "acme ltd"),
                           ("acme ltd", "based in", "Oslo")]),
        (NTRIPLES, "g.nt", [("a", "knows", "b"), ("b", "knows", "c")]),
        (JSONLD, "g.jsonld", [("x", "likes", "y")]),
        (RDFXML, "g.rdf", [("x", "likes", "tea")]),
    ],
)  # fmt: skip
def test_rdf_is_read_under_its_labels(
    read: Any, data: str, name: str, wanted: list[tuple[str, str, str]]
) -> None:
    assert edges(read(data.encode(), name)) == wanted


def test_broken_rdf_is_a_failure_of_one_line(refuse: Any) -> None:
    why = refuse(b"@prefix ex: <broken", "g.ttl")
    assert "mend" in why or "damaged" in why


def test_rdf_fetches_nothing(refuse: Any) -> None:
    remote = json.dumps({"@context": "http://127.0.0.1:9/context.json", "@id": "x", "likes": "y"})
    why = refuse(remote.encode(), "g.jsonld")
    assert "network" in why


def test_a_graph_gives_edges_and_no_passages(read: Any) -> None:
    found = read(b"a\tlikes\tb\n", "x.triples.tsv")
    assert Splitter(lambda texts: [1] * len(texts), 50)(found).passages == ()


def tables(*values: object) -> list[Parsed | ParseFailure]:
    lines = "".join(json.dumps(value) + "\n" for value in values)
    return list(parse_tables(lines.encode(), "t.tables.jsonl"))


def test_a_table_keeps_its_id_and_its_cells() -> None:
    (found,) = tables({"id": "t-1", "columns": ["City", "People"], "rows": [["Oslo", 700]]})
    assert isinstance(found, Parsed) and found.id == "t-1" and found.media_type == TABLE
    (table,) = found.tables
    assert table.columns == ("City", "People") and table.rows == (("Oslo", "700"),)
    assert found.text[slice(*table.spans[0])] == "City: Oslo; People: 700"


def test_columns_without_names_and_short_rows_are_made_good() -> None:
    (found,) = tables({"id": 7, "title": "none", "columns": ["", "A", "a"], "rows": [["x"], []]})
    assert isinstance(found, Parsed) and found.title == "7"
    assert found.tables[0].columns == ("column 1", "A", "a (2)")
    assert found.tables[0].rows == (("x", "", ""),)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"columns": ["a"], "rows": [["1"]]}, "`id`"),
        ({"id": "x", "rows": [["1"]]}, "`columns`"),
        ({"id": "x", "columns": ["a"], "rows": "no"}, "`rows`"),
        ({"id": "x", "columns": ["a"], "rows": []}, "without cells"),
        (["not", "an", "object"], "not an object"),
    ],
)
def test_a_bad_table_is_told_and_the_others_come(value: object, why: str) -> None:
    good = {"id": "ok", "columns": ["a"], "rows": [["1"]]}
    bad, found = tables(value, good)
    assert isinstance(bad, ParseFailure) and why in bad.reason and "t.tables.jsonl:1" in bad.source
    assert isinstance(found, Parsed) and found.id == "ok"


def test_a_table_is_found_by_one_card_that_reaches_over_all_its_rows() -> None:
    rows = [[f"name {i}", str(i)] for i in range(50)]
    (found,) = tables({"id": "t", "columns": ["Name", "No"], "rows": rows})
    assert isinstance(found, Parsed)
    cut = Splitter(lambda texts: [len(text.split()) for text in texts], 40)(found)
    (card,) = cut.passages
    assert card.kind == "table" and card.row is None and card.table_name == "t"
    assert card.text == found.text[card.start : card.end] and "name 0" in card.text
    assert card.reach == found.tables[0].spans[-1][1] > card.end


def test_a_card_of_one_row_that_is_too_long_is_cut() -> None:
    (found,) = tables({"id": "t", "columns": ["Text"], "rows": [["word " * 300]]})
    assert isinstance(found, Parsed)
    (card,) = Splitter(lambda texts: [len(text.split()) for text in texts], 40)(found).passages
    assert len(card.text.split()) <= 40 and card.reach == len(found.text)


def database(path: Any, *statements: str) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return bytes(path.read_bytes())


def test_each_table_of_a_database_is_a_document(sandbox: Sandbox, tmp_path: Any) -> None:
    data = database(
        tmp_path / "shop.db", "CREATE TABLE item (name TEXT, price REAL, photo BLOB)",
        "INSERT INTO item VALUES ('rope', 3.2, x'00ff'), ('anvil', 12, NULL)",
        "CREATE TABLE \"odd \"\"name\" (a)", "INSERT INTO \"odd \"\"name\" VALUES (1)",
        "CREATE VIEW v AS SELECT * FROM item",
    )  # fmt: skip
    found = [one for one in sandbox.parse(None, data, "shop.db") if isinstance(one, Parsed)]
    assert [one.id for one in found] == ["shop.db#item", 'shop.db#odd "name']
    (table,) = found[0].tables
    assert table.columns == ("name", "price", "photo") and found[0].title == "shop: item"
    assert table.rows == (("rope", "3.2", "(2 bytes)"), ("anvil", "12", ""))


def test_a_database_without_tables_or_with_damage_is_a_failure(refuse: Any, tmp_path: Any) -> None:
    empty = database(tmp_path / "e.db", "CREATE VIEW v AS SELECT 1")
    assert "no tables" in refuse(empty, "e.db")
    assert refuse(b"SQLite format 3\0" + b"\xff" * 200, "broken.sqlite")
