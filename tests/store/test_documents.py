"""Documents and what came from them: put, replace, remove; gone means gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, func, insert, select

from pilotfish.errors import NotFound
from store import collections, documents, jobs, ledger, passages, schema
from store.collections import Collection
from store.database import Database
from store.incoming import NewRow, NewTable
from store.passages import Since
from tests.store.made import ENCODER, document, drop, fresh_database, put, with_collection

VECTOR = b"\x00\x3c\x00\x00"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    one = fresh_database(tmp_path)
    yield one
    one.close()


@pytest.fixture
def collection(database: Database) -> Collection:
    return with_collection(database)


def count(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def embed_all(database: Database, collection: Collection) -> None:
    with database.write() as connection:
        rows = passages.unembedded(connection, collection.id, ENCODER, 1000)
        passages.put_vectors(connection, ENCODER, [(sha, VECTOR) for sha, _ in rows])


def sheet(name: str = "prices") -> NewTable:
    rows = (NewRow(2, 0, 10, ("anvil", "12.50")), NewRow(3, 11, 20, ("rope", "3.20")))
    return NewTable(name, "Prices", ("item", "price"), rows)


def test_a_document_is_stored_with_its_passages_and_tables(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one\ntwo", metadata={"year": 2020}, tables=[sheet()]))
    with database.read() as connection:
        shown = documents.show(connection, collection.id, "a")
        held = passages.fetch(connection, passages.all_ids(connection, collection.id))
    assert shown["text"] == "one\ntwo" and shown["metadata"] == {"year": 2020}
    assert shown["tables"] == [
        {"name": "prices", "title": "Prices", "columns": ["item", "price"], "rows": 2}
    ]
    assert [(p.text, p.document, p.start, p.end, p.title) for p in held.values()] == [
        ("one", "a", 0, 3, "A"), ("two", "a", 4, 7, "A")
    ]  # fmt: skip


def test_showing_a_document_that_is_not_there_names_it(
    database: Database, collection: Collection
) -> None:
    with database.read() as connection, pytest.raises(NotFound, match=r"'ghost'.*pilotfish list"):
        documents.show(connection, collection.id, "ghost")


def test_putting_a_document_again_replaces_it_and_leaves_tombstones(
    database: Database, collection: Collection
) -> None:
    first = put(database, collection, document("a", "one\ntwo"))
    with database.read() as connection:
        old = passages.all_ids(connection, collection.id)
    second = put(database, collection, document("a", "three"))
    with database.read() as connection:
        new = passages.all_ids(connection, collection.id)
        gone = passages.removed_since(connection, Since(collection.id, first, second))
        assert count(connection, schema.documents) == 1
    assert sorted(gone) == old and len(new) == 1 and not set(new) & set(old)


def test_ids_of_removed_passages_are_never_given_again(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one\ntwo"))
    with database.read() as connection:
        old = passages.all_ids(connection, collection.id)
    drop(database, collection, "a")
    put(database, collection, document("b", "three\nfour"))
    with database.read() as connection:
        assert min(passages.all_ids(connection, collection.id)) > max(old)


def test_a_vector_stays_while_another_passage_needs_it_and_goes_with_the_last(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "shared\nmine"), document("b", "shared"))
    embed_all(database, collection)
    with database.read() as connection:
        assert count(connection, schema.vectors) == 2
    drop(database, collection, "a")
    with database.read() as connection:
        (left,) = connection.scalars(select(schema.vectors.c.embed_sha))
        (needed,) = connection.scalars(select(schema.passages.c.embed_sha))
        assert left == needed
    drop(database, collection, "b")
    with database.read() as connection:
        assert count(connection, schema.vectors) == 0


def test_replacing_a_document_keeps_the_vectors_of_what_did_not_change(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "kept\nold"), document("z", "kept"))
    embed_all(database, collection)
    put(database, collection, document("a", "kept\nnew"))
    with database.read() as connection:
        missing = passages.unembedded(connection, collection.id, ENCODER, 10)
        assert [text for _, text in missing] == ["new"]


def test_a_vector_that_comes_after_its_passage_went_is_not_kept(
    database: Database, collection: Collection
) -> None:
    """The encoder takes its time; the document may be removed meanwhile."""
    put(database, collection, document("a", "secret"), document("b", "open"))
    with database.read() as connection:
        rows = passages.unembedded(connection, collection.id, ENCODER, 10)
    drop(database, collection, "a")
    with database.write() as connection:
        passages.put_vectors(connection, ENCODER, [(sha, VECTOR) for sha, _ in rows])
        assert count(connection, schema.vectors) == 1


def test_removed_means_gone_from_every_table(database: Database, collection: Collection) -> None:
    put(database, collection, document("a", "one\ntwo", tables=[sheet()]))
    embed_all(database, collection)
    with database.write() as connection:
        documents.mention(connection, collection.id, ["a"], "item", 1)
    assert drop(database, collection, "a") == 1
    with database.read() as connection:
        for table in (schema.documents, schema.passages, schema.vectors, schema.tables,
                      schema.table_rows, schema.mentions):  # fmt: skip
            assert count(connection, table) == 0, table.name


def test_removing_one_document_leaves_the_others_alone(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one", tables=[sheet()]),
        document("b", "two", tables=[sheet()]))  # fmt: skip
    assert drop(database, collection, "a", "ghost") == 1
    with database.read() as connection:
        assert [row["id"] for row in documents.listing(connection, collection.id)] == ["b"]
        assert count(connection, schema.table_rows) == 2
        assert count(connection, schema.passages) == 1


def test_removing_more_documents_than_one_statement_takes_works(
    database: Database, collection: Collection
) -> None:
    put(database, collection, *[document(f"d{i}", f"text {i}") for i in range(30)])
    keys = [f"d{i}" for i in range(300_000)]
    assert drop(database, collection, *keys) == 30
    with database.read() as connection:
        assert count(connection, schema.passages) == 0


def test_answers_and_replies_that_quoted_a_document_lose_their_text_but_not_their_money(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one"), document("b", "two"))
    call = ledger.Call("", None, "m", [{"role": "user", "content": "?"}], {})
    other = ledger.Call("", None, "m", [{"role": "user", "content": "!"}], {})
    with database.write() as connection:
        jobs.submit(connection, "j", collection.id, {}, [("q1", {"text": "?"}), ("q2", {})])
        items = jobs.claim(connection, "j", "me", 2, 60.0)
        for item, key in zip(items, ("a", "b"), strict=True):
            jobs.finish(connection, item, "answered", {"text": f"about {key}"}, None)
            documents.mention(connection, collection.id, [key], "item", item.id)
        for asked, key in ((call, "a"), (other, "b")):
            row = ledger.reserve(connection, asked, ledger.Spender("", items[0].id), 0.5)
            ledger.mark_done(connection, row, f"reply {key}", ledger.Bill(7, 3, 0.25, "usage"))
            documents.mention(connection, collection.id, [key], "call", row)
    drop(database, collection, "a")
    with database.read() as connection:
        states = [(r["state"], r["result"]) for r in jobs.results(connection, "j")]
        rows = connection.execute(select(schema.ledger).order_by(schema.ledger.c.id)).all()
        assert ledger.find_reply(connection, call.key) is None
        assert ledger.find_reply(connection, other.key) is not None
    assert states == [("forgotten", None), ("answered", {"text": "about b"})]
    assert [row.reply for row in rows] == [None, "reply b"]
    assert [(row.key, row.cost_usd, row.prompt_tokens) for row in rows] == [
        (call.key, 0.25, 7), (other.key, 0.25, 7)
    ]  # fmt: skip


def test_mentioning_a_document_twice_or_one_that_is_gone_does_nothing_more(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one"))
    with database.write() as connection:
        for _ in range(2):
            documents.mention(connection, collection.id, ["a", "ghost"], "item", 4)
        assert count(connection, schema.mentions) == 1


def test_however_many_documents_are_mentioned_each_is(
    database: Database, collection: Collection
) -> None:
    keys = [f"d{n}" for n in range(30)]
    for key in keys:
        put(database, collection, document(key, key))
    with database.write() as connection:
        documents.mention(connection, collection.id, keys, "item", 4)
        assert count(connection, schema.mentions) == 30
        documents.mention(connection, collection.id, [], "item", 5)
        assert count(connection, schema.mentions) == 30


def test_of_however_many_passages_those_that_are_gone_are_counted(
    database: Database, collection: Collection
) -> None:
    for n in range(30):
        put(database, collection, document(f"d{n}", f"text {n}"))
    with database.write() as connection:
        there = passages.all_ids(connection, collection.id)
        gone = [max(there) + 1 + n for n in range(3)]
        assert passages.missing(connection, there + gone + gone) == 3
        assert passages.missing(connection, []) == 0


def test_fingerprints_tell_the_stored_documents_only(
    database: Database, collection: Collection
) -> None:
    new = document("a", "one")
    put(database, collection, new)
    with database.read() as connection:
        found = documents.fingerprints(connection, collection.id, ["a", "ghost"])
    assert found == {"a": new.sha256}


def test_the_listing_counts_characters_passages_and_tables(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "né\n上海", metadata={"k": [1]}, tables=[sheet()]))
    put(database, collection, document("b", "", source="folder/b.txt"))
    with database.read() as connection:
        rows = documents.listing(connection, collection.id)
    wanted = ("id", "source", "type", "media_type", "characters", "passages", "tables", "metadata")
    assert [tuple(row.get(name) for name in wanted) for row in rows] == [
        ("a", "a.txt", None, "text/plain", 5, 2, 1, {"k": [1]}),
        ("b", "folder/b.txt", None, "text/plain", 0, 0, 0, {}),
    ]


def test_a_source_is_known_by_its_hash_and_by_what_of_it_is_stored(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "1", source="s"), document("b", "2", source="s"))
    with database.write() as connection:
        assert documents.source(connection, collection.id, "s") is None
        documents.put_source(connection, collection.id, "s", "old")
        documents.put_source(connection, collection.id, "s", "sha", "/x/s")
        assert documents.source_at(connection, collection.id, "/x/s") == known(2)
        assert documents.source_at(connection, collection.id, "/y/s") is None
        assert documents.source(connection, collection.id, "s") == known(2)
        assert documents.keys_of_source(connection, collection.id, "s") == ["a", "b"]
    drop(database, collection, "a")
    with database.read() as connection:
        assert documents.source(connection, collection.id, "s") == known(1)


def test_collections_do_not_see_each_other(database: Database, collection: Collection) -> None:
    other = with_collection(database, "other")
    put(database, collection, document("a", "one"))
    put(database, other, document("a", "two"))
    assert drop(database, other, "a") == 1
    with database.read() as connection:
        assert documents.slice_of(connection, collection.id, "a", 0, 3) == "one"
        assert documents.slice_of(connection, other.id, "a", 0, 3) is None
        assert collections.names(connection) == ["default", "other"]
        assert passages.count(connection, other.id) == 0


def test_a_missing_collection_names_those_that_exist(
    database: Database, collection: Collection
) -> None:
    with database.read() as connection:
        with pytest.raises(NotFound, match=r"'ghost' \(there are: default\)"):
            collections.find(connection, "ghost")


def test_ensure_keeps_what_is_there_and_set_encoder_changes_it(
    database: Database, collection: Collection
) -> None:
    with database.write() as connection:
        assert collections.ensure(connection, "default", "another", 9) == collection
        collections.set_encoder(connection, collection.id, "another", 9)
        found = collections.find(connection, "default")
    assert (found.encoder, found.split_tokens, found.revision) == ("another", 9, 0)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.sampled_from("a é上海😀𝕏\n\u0301\u00a0"), min_size=1, max_size=40),
    data=st.data(),
)
def test_a_slice_counts_code_points_as_python_does(
    text: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    database = _shared(tmp_path_factory)
    collection = with_collection(database)
    put(database, collection, document("d", text, cuts=[(start, end)]))
    with database.read() as connection:
        assert documents.slice_of(connection, collection.id, "d", start, end) == text[start:end]
        assert passages.misquoted(connection, collection.id) == 0


_MADE: list[Database] = []


def _shared(factory: pytest.TempPathFactory) -> Database:
    if not _MADE:
        _MADE.append(fresh_database(factory.mktemp("slices")))
    return _MADE[0]


def test_a_passage_that_differs_from_its_slice_is_counted(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one\ntwo"))
    with database.write() as connection:
        connection.execute(
            schema.passages.update().where(schema.passages.c.text == "two").values(text="too")
        )
        assert passages.misquoted(connection, collection.id) == 1


def test_what_came_and_what_went_is_told_by_revision(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one"))
    second = put(database, collection, document("b", "two\nthree"))
    put(database, collection, document("c", "four"))
    with database.read() as connection:
        since = Since(collection.id, 1, second)
        added = [(context, text) for _, context, text in passages.added_since(connection, since)]
        everything = list(passages.added_since(connection, Since(collection.id, 0, 99)))
    assert added == [("", "two"), ("", "three")] and len(everything) == 4


def test_swept_tombstones_are_those_that_every_index_has_seen(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one"), document("b", "two"))
    drop(database, collection, "a")
    drop(database, collection, "b")
    with database.write() as connection:
        passages.sweep_tombstones(connection, collection.id, 2)
        assert len(passages.removed_since(connection, Since(collection.id, 0, 9))) == 1


def test_an_index_may_go_up_to_the_revision_before_the_first_missing_vector(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one"))
    embed_all(database, collection)
    put(database, collection, document("b", "two\nthree"))
    put(database, collection, document("c", "four"))
    with database.read() as connection:
        now = collections.find(connection, "default")
        assert passages.ready_revision(connection, now, ENCODER) == 1
        assert passages.ready_revision(connection, now, "another") == 0
        assert passages.count_unembedded(connection, now.id, ENCODER) == 3
        assert len(passages.unembedded(connection, now.id, ENCODER, 2)) == 2
    embed_all(database, collection)
    with database.read() as connection:
        assert passages.ready_revision(connection, now, ENCODER) == now.revision == 3


def test_equal_texts_wait_for_one_vector_and_share_it(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "same"), document("b", "same"))
    with database.read() as connection:
        assert len(passages.unembedded(connection, collection.id, ENCODER, 10)) == 1
    embed_all(database, collection)
    with database.read() as connection:
        found = list(passages.vectors_since(connection, Since(collection.id, 0, 9), ENCODER))
        ids = passages.all_ids(connection, collection.id)
    assert found == [(i, VECTOR) for i in ids] and len(ids) == 2


def test_vectors_of_encoders_out_of_use_are_dropped(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one"))
    embed_all(database, collection)
    with database.write() as connection:
        sha = connection.scalar(select(schema.vectors.c.embed_sha))
        connection.execute(
            insert(schema.vectors).values(encoder="old", embed_sha=sha, vector=VECTOR)
        )
        passages.drop_vectors(connection, [ENCODER])
        assert list(connection.scalars(select(schema.vectors.c.encoder))) == [ENCODER]


def test_fetching_ids_that_are_gone_gives_the_others(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one\ntwo"))
    with database.read() as connection:
        first, second = passages.all_ids(connection, collection.id)
        assert set(passages.fetch(connection, [second, 10**9, first])) == {first, second}


def test_the_context_stands_before_the_text_only_when_there_is_one() -> None:
    assert passages.joined("Title", "text") == "Title\ntext"
    assert passages.joined("", "text") == "text"


def test_documents_that_another_file_gave_can_be_moved_to_this_one(
    database: Database, collection: Collection
) -> None:
    put(database, collection, document("a", "one", source="s"), document("b", "two", source="t"))
    with database.write() as connection:
        keys = ["a", "b", "ghost"]
        assert documents.from_elsewhere(connection, collection.id, keys, "t") == ["a"]
        documents.move(connection, collection.id, ["a"], "t")
        assert documents.keys_of_source(connection, collection.id, "t") == ["a", "b"]
        assert documents.from_elsewhere(connection, collection.id, keys, "t") == []


def known(stored: int) -> documents.KnownSource:
    return documents.KnownSource("s", "sha", 2, stored, "/x/s")
