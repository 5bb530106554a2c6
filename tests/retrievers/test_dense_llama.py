"""A vector store as the dense index: it finds what FAISS finds, whatever happens on the way.

Each test runs on a store in this process and on a real Postgres with pgvector.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotfish.errors import Unavailable
from pilotfish.settings import Settings
from pipeline import doctor
from pipeline.library import Library
from retrievers import dense_llama, generation
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse
from retrievers.shelf import Shelf
from tests.retrievers import pg_server
from tests.retrievers.fake_encoder import FakeEncoder
from tests.retrievers.house import WORDS, House, age, ask, found, lines
from tests.store.made import document, put, with_collection

pytestmark = [
    pytest.mark.slow,  # LlamaIndex alone takes seconds to import
    # LlamaIndex's store of Postgres uses what SQLAlchemy has deprecated.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PG = "llama_index.vector_stores.postgres:PGVectorStore"
needs_postgres = pytest.mark.skipif(
    not pg_server.OFFERED, reason="pgserver has no Postgres for this Python"
)
KINDS = ["memory", "old", pytest.param("postgres", marks=needs_postgres)]
_number = iter(range(10_000))


@pytest.fixture(scope="session")
def server() -> Iterator[pg_server.Server]:
    one = pg_server.Server()
    yield one
    one.remove()


def made(folder: Path, kind: str, request: pytest.FixtureRequest) -> House:
    """A house with a store of its own."""
    name = f"t{os.getpid()}_{next(_number)}"
    if kind == "postgres":
        return House(folder, PG, request.getfixturevalue("server").options(name))
    options = {"name": name, "kind": {"memory": "Noted", "old": "Old"}[kind]}
    return House(folder, "tests.retrievers.stores:opened", options)


@pytest.fixture(params=KINDS)
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    one = made(tmp_path / "house", request.param, request)
    yield one
    one.close()


def same(house: House, where: str | None = None) -> None:
    """Both shelves find the same, with the same scores, for every word.

    Of equally good passages at the end of the list, each may take others.
    """
    for word in WORDS:
        wanted, got = (found(s, f"{word} star", where) for s in (house.here, house.there))
        assert list(got.values()) == pytest.approx(list(wanted.values()), abs=1e-5)
        last = min(wanted.values(), default=0) + 1e-4
        assert {i for i in got if got[i] > last} == {i for i in wanted if wanted[i] > last}


def whole(house: House) -> None:
    """The store holds what the database does, and nothing else."""
    kept = house.kept()
    assert house.store.ids(kept.named, kept.vector, 1000) == house.ids()
    opened = house.there.opened()
    assert opened.dense.ids() == house.ids() and len(opened.dense) == len(house.ids())
    assert house.kept() == kept  # opening had nothing to mend


def test_it_finds_what_faiss_finds_with_the_same_scores(house: House) -> None:
    house.put(*[document(f"d{i}", lines(i, 12)) for i in range(10)])
    same(house)
    whole(house)
    assert house.there.opened().manifest.dense == house.path
    assert not list(house.root.rglob("dense.faiss"))


def test_an_empty_collection_can_be_searched_and_grow(house: House) -> None:
    assert found(house.there, "red cat") == {}
    house.put(document("a", "red cat"))
    house.there.refresh()
    assert len(found(house.there, "red cat")) == 1
    whole(house)


def test_what_comes_is_added_and_what_goes_is_removed(house: House) -> None:
    house.put(document("a", lines(1, 8)), document("b", lines(2, 8)))
    house.refresh()
    first = house.kept()
    house.put(document("c", lines(3, 8)), document("a", lines(4, 5)))
    house.drop("b")
    house.refresh()
    assert house.kept() == first  # the same set of vectors, changed in place
    whole(house)
    same(house)


def test_a_removed_passage_is_never_found_and_fills_no_place(house: House) -> None:
    house.put(document("a", "red cat"), document("b", "red dog"))
    assert len(found(house.there, "red cat")) == 2
    house.drop("a")
    (left,) = found(house.there, "red cat")
    assert list(found(house.there, "red cat", k=1)) == [left]
    house.there.refresh()
    assert list(found(house.there, "red cat")) == [left]
    whole(house)


def test_a_filter_holds_whether_few_or_many_pass(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(12):
        house.put(document(f"d{i}", lines(i, 10), metadata={"n": i}))
    house.refresh()
    for where in ("n = 3", "n >= 6", "n > 0", "n = 99"):
        same(house, where)
    monkeypatch.setattr(dense_llama, "FEW", 0)  # out of the store's neighbours
    for where in ("n = 3", "n >= 6", "n > 0"):
        same(house, where)
    monkeypatch.setattr(dense_llama, "MOST", 0)  # by comparing all
    same(house, "n >= 6")


@pytest.mark.parametrize("when", ["before publishing", "half way"])
def test_a_build_that_is_killed_is_mended_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    house.put(document("a", lines(1, 6)), document("b", lines(2, 6)))
    house.refresh()
    live = generation.current(house.root)
    house.put(document("c", lines(3, 6)))
    house.drop("b")
    _killed(house, monkeypatch, when)
    assert generation.current(house.root) == live
    assert set(found(house.shelf(), "red cat", k=50)) <= house.ids()  # c may be found, b not
    house.drop("c")  # what the killed build has put there goes, too
    house.put(document("d", lines(4, 6)))
    house.refresh()
    whole(house)
    same(house)


def _killed(house: House, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if when == "half way":
            patch.setattr(dense_llama, "_mark", killed)
        else:
            patch.setattr(generation, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            house.there.refresh()


def test_a_first_build_that_is_killed_leaves_nothing_behind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put(document("a", lines(1, 6)))
    _killed(house, monkeypatch, "before publishing")
    (left,) = house.root.glob("gen-*")
    lost = dense_llama.Kept.read(left)
    assert house.store.ids(lost.named, lost.vector, 100) == house.ids()
    house.there.refresh()
    age(left)
    house.there.sweep()
    assert not left.exists() and not house.store.ids(lost.named, lost.vector, 100)
    whole(house)


def test_readers_keep_the_vectors_of_before_a_rebuild_for_their_time_of_grace(
    house: House,
) -> None:
    house.put(document("a", lines(1, 6)))
    house.there.refresh()
    old, folder = house.kept(), generation.current(house.root)
    assert folder is not None
    house.there.refresh(rebuild=True)
    assert house.kept().name != old.name
    assert house.store.ids(old.named, old.vector, 100) == house.ids()
    age(folder)
    house.there.sweep()
    assert house.store.ids(old.named, old.vector, 100) == set()
    assert house.store.nearest(old.marks, old.vector, 5) == []
    whole(house)


def test_sweeping_an_old_generation_leaves_the_vectors_that_the_new_one_shares(
    house: House,
) -> None:
    house.put(document("a", lines(1, 6)))
    house.there.refresh()
    folder = generation.current(house.root)
    assert folder is not None
    house.put(document("b", lines(2, 6)))
    house.there.refresh()
    age(folder)
    house.there.sweep()
    assert not folder.exists()
    whole(house)


def test_a_store_that_was_wiped_is_filled_again_from_the_database(house: House) -> None:
    house.put(document("a", lines(1, 6)))
    house.refresh()
    before = house.kept()
    house.store.clear(before.named, before.vector)
    house.store.clear(before.marks, before.vector)
    again = house.shelf()
    assert found(again, "red star") == pytest.approx(found(house.here, "red star"), abs=1e-5)
    assert house.kept().name != before.name
    whole(house)


def test_a_store_that_was_put_back_to_an_older_state_is_filled_again(house: House) -> None:
    house.put(document("a", lines(1, 6)))
    house.there.refresh()
    older = house.kept()
    house.put(document("b", lines(2, 6)))
    house.refresh()
    newest = set(house.store.nearest(older.marks, older.vector, 5))
    house.store.remove(older.marks, list(newest))  # as a backup from before would have it
    house.store.put(older.marks, np.array([1]), older.vector[None, :])
    again, wanted = (list(found(s, "red star").values()) for s in (house.shelf(), house.here))
    assert again == pytest.approx(wanted)
    assert house.kept().name != older.name


def test_changing_over_to_a_store_and_back_rebuilds_and_mixes_nothing(house: House) -> None:
    house.put(document("a", lines(1, 6)))
    wanted = found(house.here, "red star")
    for path in ("faiss", house.path, "faiss"):
        shelf = Shelf(house.database, "default", house.root, lambda *_: house.encoder)
        if path != "faiss":
            shelf = house.shelf()
        assert found(shelf, "red star") == pytest.approx(wanted, abs=1e-5)
        assert shelf.opened().manifest.dense == path
        live = generation.current(house.root)
        assert live is not None
        assert (live / "dense.faiss").exists() == (path == "faiss")
        assert (live / "dense.json").exists() == (path != "faiss")
    assert len(house.encoder.seen) == len(set(house.encoder.seen))  # out of the database


def test_collections_share_a_store_and_never_their_vectors(house: House) -> None:
    with_collection(house.database, "other")
    other = house.shelf(collection="other")
    house.put(document("a", "red cat"))
    put(house.database, other.collection(), document("a", "red cat\nred fish"))
    house.there.refresh()
    other.refresh()
    assert len(found(house.there, "red")) == 1 and len(found(other, "red")) == 2
    whole(house)
    other.forget()
    assert other.opened().dense.ids() == set()
    whole(house)


def test_another_encoder_has_a_set_of_its_own(house: House) -> None:
    house.put(document("a", "red cat\nblue dog"))
    house.there.refresh()
    first = house.kept()
    other = FakeEncoder("fake-2")
    shelf = Shelf(house.database, "default", house.root, lambda *_: other, house.there.keeper)
    assert next(iter(found(shelf, "red cat").values())) > 0.99
    assert house.kept().name != first.name and shelf.opened().dense.ids() == house.ids()


TEXT = st.lists(st.sampled_from(WORDS), max_size=3).map("\n".join)
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "refresh", "killed", "rebuild"]),
              st.sampled_from("abcd"), TEXT),
    min_size=3, max_size=12,
)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=ACTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_happened_the_next_build_equals_the_database(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, kind: str,
    actions: list[tuple[str, str, str]],
) -> None:  # fmt: skip
    house = made(tmp_path_factory.mktemp("house"), kind, request)
    for action, key, text in actions:
        if action == "put":
            house.put(document(key, text))
        elif action == "drop":
            house.drop(key)
        elif action == "killed":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(generation, "publish", _die)
                with contextlib.suppress(ZeroDivisionError):
                    house.there.refresh(rebuild=bool(text))
        else:
            house.there.refresh(rebuild=action == "rebuild")
    house.refresh()
    whole(house)
    same(house)
    house.close()


def _die(*_: object, **__: object) -> None:
    raise ZeroDivisionError


class Fakes:
    """The one encoder, by any name."""

    def __init__(self, encoder: FakeEncoder) -> None:
        self._encoder = encoder

    def __call__(self, name: str, fingerprint: str | None = None, /) -> FakeEncoder:
        return self._encoder


def test_doctor_compares_the_store_with_the_database_and_repair_mends_it(
    house: House, tmp_path: Path
) -> None:
    encoders: Any = Fakes(house.encoder)
    library = Library(Settings(workspace=tmp_path / "w"), create=True, encoders=encoders)
    library.shelf = Shelf(
        library.database, "default", library.shelf.root, encoders, house.there.keeper
    )
    put(library.database, library.collection(), document("a", lines(1, 6)))
    library.shelf.refresh()
    assert [one.ok for one in doctor._index(library)] == [True, True]
    folder = generation.current(library.shelf.root)
    assert folder is not None
    kept = dense_llama.Kept.read(folder)
    house.store.remove(kept.named, [1, 2])
    _, vectors = doctor._index(library)
    assert not vectors.ok and "--repair" in vectors.mend
    assert vectors.detail == f"4 of 6 passages in {house.path}; 2 missing, 0 left over"
    doctor.repair(library)
    assert [one.ok for one in doctor._index(library)] == [True, True]
    library.database.close()


@needs_postgres
def test_rows_of_postgres_are_no_duplicates_after_builds_that_were_killed(
    tmp_path: Path, server: pg_server.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LlamaIndex's store of Postgres would keep two rows of one node."""
    house = House(tmp_path / "house", PG, server.options("killed"))
    house.put(document("a", lines(1, 6)))
    house.there.refresh()
    house.put(document("b", lines(2, 6)))
    for when in ("half way", "before publishing", "half way"):
        _killed(house, monkeypatch, when)
    house.there.refresh()
    assert server.count("killed") == (13, 13)  # and one mark
    whole(house)
    house.close()


@needs_postgres
def test_a_postgres_that_is_away_is_no_empty_result_and_is_used_again_when_it_is_back(
    tmp_path: Path, server: pg_server.Server
) -> None:
    house = House(tmp_path / "house", PG, server.options("away"))
    house.put(document("a", lines(1, 6)))
    house.refresh()
    house.there.opened()
    server.stop()
    try:
        for step in (Dense(house.there), Fuse((BM25(house.there), Dense(house.there)))):
            with pytest.raises(Unavailable, match="is it running"):
                step(ask("red star"))
        with pytest.raises(Unavailable):
            house.shelf().opened()
        house.put(document("b", lines(2, 6)))
        with pytest.raises(Unavailable):
            house.there.refresh()
    finally:
        server.start()
    house.refresh()
    same(house)
    whole(house)
    house.close()


@needs_postgres
def test_a_small_collection_is_found_whole_in_a_large_table_with_an_approximate_index(
    tmp_path: Path, server: pg_server.Server
) -> None:
    """pgvector looks at hnsw_ef_search neighbours in the whole table, then filters."""
    wide = {"hnsw_m": 16, "hnsw_ef_construction": 64, "hnsw_ef_search": 10}
    options = server.options("large", hnsw_kwargs=wide)
    house = House(tmp_path / "house", PG, options)
    with_collection(house.database, "other")
    other = house.shelf(collection="other")
    put(house.database, other.collection(), document("big", lines(0, 1500)))
    other.refresh()
    house.put(document("a", lines(5, 30)))
    house.refresh()
    same(house)
    folder = generation.current(house.root)
    assert folder is not None  # the mark is found among all of them, too
    house.there.keeper.check(folder, house.there.opened().manifest)
    house.close()


def test_a_mark_that_the_index_overlooks_is_found_in_the_list(tmp_path: Path) -> None:
    options = {"name": f"blind_{os.getpid()}", "kind": "Blind"}
    house = House(tmp_path / "house", "tests.retrievers.stores:opened", options)
    for number, name in enumerate("ab"):
        house.put(document(name, lines(number, 6)))
        house.refresh()
        folder = generation.current(house.root)
        assert folder is not None
        house.there.keeper.check(folder, house.there.opened().manifest)
    kept = dense_llama.Kept.read(folder)
    assert len(house.store.ids(kept.marks, kept.vector, 100)) == 1  # older marks have gone
    house.close()


def test_of_few_passages_the_best_are_found_whatever_the_index_overlooks(tmp_path: Path) -> None:
    options = {"name": f"few_{os.getpid()}", "kind": "Blind"}
    house = House(tmp_path / "house", "tests.retrievers.stores:opened", options)
    house.put(document("a", lines(0, 30)), document("b", "red cat"))
    house.refresh()
    here, there = (list(found(s, "red cat", k=5).values()) for s in (house.here, house.there))
    assert there == pytest.approx(here) and there[0] == pytest.approx(1.0, abs=1e-4)
    house.close()
