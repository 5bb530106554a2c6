"""The shelf: its indexes always become what the database says, however they came about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotfish.errors import InputError, NotFound, SettingsError
from pilotfish.step import run
from pilotfish.types import Case, Question, Scope
from retrievers import embed, generation
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse
from retrievers.shelf import Shelf
from store import passages
from store.collections import Collection
from store.database import Database, locked
from store.incoming import NewDocument
from tests.retrievers.fake_encoder import FakeEncoder
from tests.store.made import document, drop, fresh_database, put, with_collection


@dataclass(slots=True)
class World:
    """A database, its collection and a shelf on it."""

    folder: Path
    database: Database
    collection: Collection
    encoder: FakeEncoder
    shelf: Shelf

    def put(self, *new: NewDocument) -> None:
        put(self.database, self.collection, *new)

    def drop(self, *keys: str) -> None:
        drop(self.database, self.collection, *keys)

    def ids(self) -> set[int]:
        with self.database.read() as connection:
            return set(passages.all_ids(connection, self.collection.id))

    def another(self, encoder: FakeEncoder | None = None, root: str = "index") -> Shelf:
        """A shelf as another process would open it."""
        mine = encoder or self.encoder
        return Shelf(self.database, "default", self.folder / root, lambda *_: mine)

    def indexed(self, shelf: Shelf | None = None) -> tuple[set[int], set[int]]:
        """The ids that both indexes hold, none of them twice."""
        opened = (shelf or self.shelf).opened()
        lexical, nearest = opened.bm25.ids(), opened.dense.ids()
        assert len(opened.bm25) == len(lexical) == opened.manifest.passages
        assert len(opened.dense) == len(nearest) == opened.manifest.vectors
        return lexical, nearest


def made(folder: Path) -> World:
    database, encoder = fresh_database(folder), FakeEncoder()
    collection = with_collection(database)
    own = Shelf(database, "default", folder / "index", lambda *_: encoder)
    return World(folder, database, collection, encoder, own)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    one = made(tmp_path)
    yield one
    one.database.close()


def ask(text: str, where: str | None = None) -> Case:
    return Case(Question(text, scope=Scope(where=where)))


def texts(case: Case) -> list[str]:
    return [passage.text for passage in case.passages]


def test_an_index_is_built_when_it_is_first_opened(world: World) -> None:
    world.put(document("a", "the red cat\nthe blue dog"))
    assert world.indexed() == (world.ids(), world.ids())
    assert world.shelf.opened().behind == 0 and len(world.ids()) == 2


def test_an_empty_collection_can_be_searched(world: World) -> None:
    assert world.indexed() == (set(), set())
    assert texts(Fuse((BM25(world.shelf), Dense(world.shelf)))(ask("cat"))) == []


def test_a_collection_that_is_not_there_is_told(world: World) -> None:
    with pytest.raises(NotFound, match="'ghost'"):
        Shelf(world.database, "ghost", world.folder / "x", lambda *_: world.encoder).opened()


def test_refreshing_with_nothing_to_do_builds_nothing(world: World) -> None:
    world.put(document("a", "one"))
    assert world.shelf.refresh() is True
    live = generation.current(world.folder / "index")
    assert world.shelf.refresh() is False
    assert generation.current(world.folder / "index") == live


def test_how_far_an_index_is_behind_is_told(world: World) -> None:
    world.put(document("a", "one"))
    world.shelf.opened()
    world.put(document("b", "two"))
    world.drop("a")
    assert world.shelf.opened().behind == 2 and world.shelf.pending() == 1
    world.shelf.refresh()
    assert world.shelf.opened().behind == 0 and world.shelf.pending() == 0


LINES = st.lists(st.sampled_from("red blue cat dog fish moon".split()), min_size=1, max_size=3)
TEXT = st.lists(LINES.map(" ".join), max_size=3).map("\n".join)
KEY = st.sampled_from("abcd")
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEY, TEXT),
        st.tuples(st.just("drop"), KEY, st.just("")),
        st.tuples(st.just("refresh"), st.just(""), st.just("")),
    ),
    min_size=2,
    max_size=12,
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=ACTIONS)
def test_growing_an_index_equals_building_it_anew(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, str, str]]
) -> None:
    world = made(tmp_path_factory.mktemp("world"))
    for action, key, text in actions:
        if action == "put":
            world.put(document(key, text))
        elif action == "drop":
            world.drop(key)
        else:
            world.shelf.refresh()
            assert world.indexed() == (world.ids(), world.ids())
    world.shelf.refresh()
    assert world.indexed() == (world.ids(), world.ids())
    fresh = world.another(root="fresh")
    assert world.indexed(fresh) == (world.ids(), world.ids())
    for text in ("red cat", "moon"):
        grown, anew = Dense(world.shelf)(ask(text)), Dense(fresh)(ask(text))
        assert {p.id: p.score for p in grown.passages} == pytest.approx(
            {p.id: p.score for p in anew.passages}, abs=1e-6
        )
        lexical = [{p.id for p in BM25(s)(ask(text)).passages} for s in (world.shelf, fresh)]
        assert (
            lexical[0]
            == lexical[1]
            == {p.id for p in anew.passages if set(p.text.split()) & set(text.split())}
        )
    world.database.close()


def test_equal_texts_are_encoded_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "WINDOW", 2)
    world.put(*[document(f"d{i}", "same\nother" if i % 2 else "same") for i in range(9)])
    told: list[int] = []
    world.shelf.refresh(told.append)
    assert sorted(world.encoder.seen) == ["other", "same"] and sum(told) == 2
    world.put(document("late", "same\nthird"))
    world.shelf.refresh(rebuild=True)
    assert sorted(world.encoder.seen) == ["other", "same", "third"]


def test_what_was_encoded_before_a_breakdown_is_not_encoded_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "WINDOW", 2)
    world.put(document("a", "one\ntwo\nthree\nfour\nfive"))

    def killed(_: int) -> None:
        if len(world.encoder.seen) >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.shelf.refresh(killed)
    assert generation.current(world.folder / "index") is None
    world.shelf.refresh()
    assert world.encoder.seen == ["one", "two", "three", "four", "five"]
    assert world.indexed() == (world.ids(), world.ids())


def test_passages_are_encoded_while_others_are_still_being_added(world: World) -> None:
    embedder = world.shelf.embedder()
    with embedder.beside() as wake:
        world.put(document("a", "one\ntwo"))
        wake()
        until = time.monotonic() + 20
        while world.encoder.seen != ["one", "two"] and time.monotonic() < until:
            time.sleep(0.01)
        assert world.encoder.seen == ["one", "two"]
        world.put(document("b", "three"))
    world.shelf.refresh()
    assert world.encoder.seen == ["one", "two", "three"]
    assert world.indexed() == (world.ids(), world.ids())


def test_encoding_beside_the_parsers_waits_while_another_process_is_at_it(world: World) -> None:
    embedder = world.shelf.embedder()
    world.put(document("a", "one"))
    with locked(embedder.lock), embedder.beside() as wake:
        wake()
        time.sleep(0.2)
        assert world.encoder.seen == []
    world.shelf.refresh()
    assert world.encoder.seen == ["one"]


def test_an_encoder_that_fails_beside_the_parsers_is_heard_of_at_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise SettingsError("no such model")

    monkeypatch.setattr(world.encoder, "encode", broken)
    with world.shelf.embedder().beside() as wake:
        world.put(document("a", "one"))
        wake()
    with pytest.raises(SettingsError, match="no such model"):
        world.shelf.refresh()


def test_two_threads_that_refresh_at_once_do_the_work_once(world: World) -> None:
    world.put(*[document(f"d{i}", f"word{i} cat\nmoon {i}") for i in range(40)])
    shelves = [world.shelf, world.another()]
    _together([shelves[0].refresh, shelves[1].refresh])
    assert len(world.encoder.seen) == len(set(world.encoder.seen)) == 80
    assert [world.indexed(one) for one in shelves] == [(world.ids(), world.ids())] * 2


def test_documents_may_come_and_go_while_indexes_are_built(world: World) -> None:
    def write() -> None:
        for i in range(12):
            world.put(document(f"d{i % 5}", f"cat {i}\ndog {i}"))
            if i % 3 == 0:
                world.drop(f"d{(i + 2) % 5}")

    def refresh() -> None:
        for _ in range(4):
            world.shelf.refresh()
            world.shelf.opened()

    _together([write, refresh, refresh])
    world.shelf.refresh()
    assert world.indexed() == (world.ids(), world.ids())


def test_threads_that_open_at_once_get_the_same_generation(world: World) -> None:
    world.put(document("a", "one\ntwo"))
    found: list[object] = []
    _together([lambda: found.append(world.shelf.opened().manifest)] * 4)
    assert len(found) == 4 and all(one == found[0] for one in found)
    assert len(list((world.folder / "index").glob("gen-*"))) == 1


def _together(works: list[Callable[[], object]]) -> None:
    errors: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def guarded(work: Callable[[], object]) -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == [] and not any(thread.is_alive() for thread in threads)


def test_a_generation_of_another_encoder_is_rebuilt_and_never_mixed(world: World) -> None:
    world.put(document("a", "red cat\nblue dog"))
    world.shelf.opened()
    other = FakeEncoder("fake-2", dimension=16)
    second = world.another(other)
    found = Dense(second)(ask("red cat"))
    assert second.opened().manifest.encoder == "fake-2"
    assert world.indexed(second) == (world.ids(), world.ids())
    assert found.passages[0].text == "red cat" and found.passages[0].score > 0.99
    world.put(document("b", "green fish"))
    assert second.refresh() and world.indexed(second) == (world.ids(), world.ids())
    assert sorted(other.seen) == ["blue dog", "green fish", "red cat"]


@pytest.mark.parametrize("what", ["dense.faiss", "bm25/meta.json", "manifest.json", "../CURRENT"])
@pytest.mark.parametrize("how", ["damaged", "missing", "emptied"])
def test_a_broken_generation_is_rebuilt_when_it_is_opened(
    world: World, what: str, how: str
) -> None:
    world.put(document("a", "red cat\nblue dog"))
    world.shelf.opened()
    live = generation.current(world.folder / "index")
    assert live is not None
    _break(live / what, how)
    again = world.another()
    assert world.indexed(again) == (world.ids(), world.ids())
    assert texts(BM25(again)(ask("dog"))) == ["blue dog"]
    assert len(world.encoder.seen) == 2  # vectors come out of the database


def _break(path: Path, how: str) -> None:
    sound = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if how == "emptied" else sound[:-1] + bytes([sound[-1] ^ 255]))


def test_a_damaged_generation_is_not_built_upon(world: World) -> None:
    world.put(document("a", "red cat"))
    world.shelf.opened()
    live = generation.current(world.folder / "index")
    assert live is not None
    _break(live / "dense.faiss", "damaged")
    world.put(document("b", "blue dog"))
    again = world.another()
    assert again.refresh() and world.indexed(again) == (world.ids(), world.ids())


def test_a_build_that_breaks_leaves_the_old_generation_live(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put(document("a", "red cat"))
    world.shelf.opened()
    live = generation.current(world.folder / "index")
    world.put(document("b", "blue dog"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(generation, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            world.shelf.refresh()
    assert generation.current(world.folder / "index") == live
    assert texts(BM25(world.another())(ask("cat"))) == ["red cat"]
    assert world.shelf.refresh() and world.indexed() == (world.ids(), world.ids())


def test_a_reader_goes_over_to_the_new_generation_of_another_process(world: World) -> None:
    world.put(document("a", "red cat"))
    assert texts(BM25(world.shelf)(ask("dog"))) == []
    world.put(document("b", "blue dog"))
    world.another().refresh()
    assert texts(BM25(world.shelf)(ask("dog"))) == ["blue dog"]


@pytest.mark.parametrize("kind", [BM25, Dense])
def test_a_removed_passage_is_never_returned_though_the_index_holds_it(
    world: World, kind: type[BM25] | type[Dense]
) -> None:
    world.put(document("a", "red cat"), document("b", "red dog"))
    step = kind(world.shelf)
    assert sorted(texts(step(ask("red cat")))) == ["red cat", "red dog"]
    world.drop("a")
    assert world.shelf.opened().behind == 1 and len(world.shelf.opened().bm25) == 2
    assert texts(step(ask("red cat"))) == ["red dog"]
    assert texts(kind(world.shelf, 1)(ask("red cat"))) == ["red dog"]  # not an empty place
    assert texts(step(ask("red cat", where="type = text/plain"))) == ["red dog"]
    world.shelf.refresh()
    assert texts(step(ask("red cat"))) == ["red dog"] and len(world.shelf.opened().bm25) == 1


@pytest.mark.parametrize("kind", [BM25, Dense])
def test_a_metadata_filter_holds_and_follows_the_documents(
    world: World, kind: type[BM25] | type[Dense]
) -> None:
    world.put(document("a", "red cat", metadata={"year": 1}))
    world.put(document("b", "red dog", metadata={"year": 2}))
    step = kind(world.shelf)
    assert texts(step(ask("red", where="year = 2"))) == ["red dog"]
    assert texts(step(ask("red", where="year > 2"))) == []
    world.put(document("a", "red cat!", metadata={"year": 2}))
    world.shelf.refresh()
    assert sorted(texts(step(ask("red", where="year = 2")))) == ["red cat!", "red dog"]
    with pytest.raises(InputError, match="ends too early"):
        run(step, ask("red", where="year ="))


def test_a_question_the_encoder_cannot_read_is_left_out_of_dense_and_says_so(world: World) -> None:
    world.put(document("a", "red cat\n上海"))
    done = run(Dense(world.shelf), ask("上海在哪里"))
    assert done.passages == () and "left out" in str(done.trace[-1].detail["dense"])
    assert texts(BM25(world.shelf)(ask("上海在哪里"))) == ["上海"]


def test_scores_and_places_come_with_the_passages(world: World) -> None:
    world.put(document("a", "red cat\nblue dog"))
    (found,) = BM25(world.shelf)(ask("dog")).passages
    assert (found.text, found.document, found.start, found.end) == ("blue dog", "a", 8, 16)
    assert found.score == world.shelf.opened().bm25.search("dog", 1)[0][1] > 0


def test_two_collections_share_vectors_but_never_passages(world: World) -> None:
    other = with_collection(world.database, "other")
    world.put(document("a", "red cat"))
    put(world.database, other, document("a", "red cat"), document("b", "red fish"))
    second = Shelf(world.database, "other", world.folder / "other", lambda *_: world.encoder)
    assert len(texts(BM25(world.shelf)(ask("red")))) == 1
    assert len(texts(BM25(second)(ask("red")))) == 2
    assert sorted(world.encoder.seen) == ["red cat", "red fish"]
    drop(world.database, other, "a")
    second.refresh()
    assert world.shelf.refresh(rebuild=True) and world.indexed() == (world.ids(), world.ids())
    assert world.shelf.pending() == 0
