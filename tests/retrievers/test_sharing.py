"""Many threads and processes on one collection: no one waits, fights, or mixes for another."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilotfish.errors import SettingsError
from pilotfish.types import Case, Question, Scope
from retrievers import build, dense_index, generation
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.shelf import Shelf
from store.database import Database, locked
from tests.retrievers.fake_encoder import FakeEncoder
from tests.store.made import document, drop, fresh_database, put, with_collection

PATIENCE = 10.0


class Office:
    """One database and collection; `shelf` opens it as another process would."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.root = folder / "index"
        self.database: Database = fresh_database(folder)
        self.collection = with_collection(self.database)
        self.old = self.collection.encoder
        self.known = {self.old: FakeEncoder(), "new": FakeEncoder("fake-2", 16)}
        self.asked: list[str] = []

    def encoders(self, name: str, fingerprint: str | None = None, /) -> FakeEncoder:
        self.asked.append(name)
        return self.known[name]

    def shelf(self) -> Shelf:
        return Shelf(self.database, "default", self.root, self.encoders)

    def put(self, key: str, text: str) -> None:
        put(self.database, self.collection, document(key, text))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    one = Office(tmp_path)
    one.put("a", "red cat\nblue dog")
    yield one
    one.database.close()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every generation that is begun from here on."""
    made: list[Path] = []
    begin = generation.begin

    def noted(root: Path, revision: int) -> Path:
        made.append(begin(root, revision))
        return made[-1]

    monkeypatch.setattr(generation, "begin", noted)
    return made


def ask(text: str, where: str | None = None) -> Case:
    return Case(Question(text, scope=Scope(where=where)))


def texts(case: Case) -> list[str]:
    return [passage.text for passage in case.passages]


def together(works: list[Callable[[], object]]) -> None:
    errors: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def guarded(work: Callable[[], object]) -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert errors == [] and not any(thread.is_alive() for thread in threads)


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """What `work` gives in another thread; fails when it takes longer."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it waits"
    return found[0]


def test_threads_with_different_filters_each_get_their_own(office: Office) -> None:
    for i in range(6):
        put(office.database, office.collection, document(f"d{i}", f"cat {i}", metadata={"n": i}))
    shelf = office.shelf()
    shelf.opened()

    def filtered(n: int) -> Callable[[], None]:
        def work() -> None:
            for _ in range(60):
                assert texts(BM25(shelf)(ask("cat", f"n = {n}"))) == [f"cat {n}"]

        return work

    together([filtered(n) for n in range(6)])


def test_shelves_that_open_a_fresh_collection_at_once_build_it_once(
    office: Office, built: list[Path]
) -> None:
    shelves = [office.shelf() for _ in range(4)]
    together([shelf.opened for shelf in shelves])
    assert len(built) == 1
    assert {shelf.opened().pointer for shelf in shelves} == {generation.pointer(office.root)}


def test_after_a_change_of_encoder_nobody_builds_for_the_old_one(
    office: Office, built: list[Path]
) -> None:
    running = [office.shelf(), office.shelf()]
    for shelf in running:
        shelf.opened()
    office.shelf().change_encoder("new")
    del built[:]
    for _ in range(3):
        for shelf in (*running, office.shelf()):
            assert shelf.opened().encoder is office.known["new"]
            assert texts(Dense(shelf)(ask("red cat")))[0] == "red cat"
    office.put("b", "green fish")
    assert running[0].refresh() and len(built) == 1
    assert texts(Dense(running[1])(ask("green fish")))[0] == "green fish"
    assert running[1].opened().manifest.encoder == "fake-2" and len(built) == 1


def test_whoever_opens_between_the_new_name_and_the_new_index_builds_nothing(
    office: Office, built: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, newcomer = office.shelf(), office.shelf()
    held.opened()
    del built[:]
    found: list[object] = []
    late = threading.Thread(target=lambda: found.append(newcomer.opened().encoder), daemon=True)
    publish = generation.publish

    def slow(*given: Any) -> None:
        late.start()
        assert held.opened().encoder is office.known[office.old]
        assert texts(Dense(held)(ask("red cat")))[0] == "red cat"
        late.join(0.3)
        publish(*given)

    with monkeypatch.context() as patch:
        patch.setattr(generation, "publish", slow)
        office.shelf().change_encoder("new")
    late.join(PATIENCE)
    assert found == [office.known["new"]] and len(built) == 1
    assert held.opened().encoder is office.known["new"]


def test_a_change_of_encoder_that_breaks_off_is_finished_by_the_next_to_open(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.shelf().opened()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(generation, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            office.shelf().change_encoder("new")
    name = office.shelf().collection().encoder
    opened = office.shelf().opened()
    assert opened.encoder is office.known[name]
    assert opened.manifest.encoder == office.known[name].fingerprint


def test_a_question_is_encoded_by_the_encoder_of_the_index_it_is_searched_in(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = office.shelf()
    shelf.opened()
    real = Shelf.opened

    def swapped(self: Shelf) -> Any:
        if self is shelf and shelf.collection().encoder != "new":
            office.shelf().change_encoder("new")
        return real(self)

    monkeypatch.setattr(Shelf, "opened", swapped)
    found = Dense(shelf)(ask("red cat")).passages
    assert found[0].text == "red cat" and found[0].score > 0.99


def test_encoding_beside_the_parsers_goes_over_to_the_new_encoder(office: Office) -> None:
    embedder = office.shelf().embedder()
    office.shelf().change_encoder("new")
    office.put("b", "green fish")
    with locked(embedder.lock):
        embedder.catch_up()
    assert "green fish" in office.known["new"].seen
    assert "green fish" not in office.known[office.old].seen


def test_an_encoder_whose_files_have_changed_is_loaded_anew_before_anything_is_built(
    office: Office, built: list[Path]
) -> None:
    office.shelf().opened()
    stale, fresh = FakeEncoder("stale"), office.known[office.old]

    def encoders(name: str, fingerprint: str | None = None, /) -> FakeEncoder:
        return fresh if fingerprint == fresh.fingerprint else stale

    late = Shelf(office.database, "default", office.root, encoders)
    del built[:]
    assert late.opened().encoder is fresh
    assert late.refresh() is False and built == [] and stale.seen == []


def test_a_search_does_not_wait_for_a_build_while_an_index_is_held(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = office.shelf()
    shelf.opened()
    (office.root / "CURRENT").write_text("damaged")
    with locked(office.root.parent / "index.lock"), caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert texts(within(PATIENCE, lambda: BM25(shelf)(ask("cat")))) == ["red cat"]
    assert caplog.text.count("going on with the index of before") == 1
    assert office.shelf().refresh()
    assert shelf.opened().pointer == generation.pointer(office.root)


def test_a_search_does_not_wait_for_the_thread_that_opens_a_new_generation(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = office.shelf()
    before = shelf.opened()
    office.put("b", "green fish")
    office.shelf().refresh()
    inside, go_on = threading.Event(), threading.Event()
    verify = generation.verify

    def slow(*given: Any) -> None:
        inside.set()
        assert go_on.wait(PATIENCE)
        verify(*given)

    monkeypatch.setattr(generation, "verify", slow)
    opener = threading.Thread(target=shelf.opened, daemon=True)
    opener.start()
    assert inside.wait(PATIENCE)
    others = within(PATIENCE, shelf.opened)
    assert others.pointer == before.pointer and others.behind == 1
    go_on.set()
    opener.join(PATIENCE)
    assert shelf.opened().behind == 0


def test_a_generation_that_goes_while_it_is_opened_is_no_reason_to_build(
    office: Office, built: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = office.shelf()
    writer.opened()
    verify = generation.verify

    def overtaken(folder: Path, manifest: generation.Manifest) -> None:
        monkeypatch.setattr(generation, "verify", verify)
        office.put("b", "green fish")
        writer.refresh()
        (folder / "dense.faiss").unlink()
        busy.enter_context(locked(office.root.parent / "index.lock"))  # by yet another builder
        verify(folder, manifest)

    monkeypatch.setattr(generation, "verify", overtaken)
    del built[:]
    with contextlib.ExitStack() as busy:
        opened = within(PATIENCE, office.shelf().opened)
    assert opened.manifest.revision == writer.collection().revision
    assert len(built) == 1  # the writer's


def test_the_index_of_another_database_at_the_same_revision_is_not_taken(
    office: Office, tmp_path: Path
) -> None:
    office.shelf().opened()
    second = Office(tmp_path / "second")
    second.put("a", "black horse\nwhite crow")
    assert second.shelf().collection().revision == office.shelf().collection().revision
    foreign = Shelf(second.database, "default", office.root, second.encoders)
    assert texts(BM25(foreign)(ask("crow"))) == ["white crow"]
    second.database.close()


def age(folder: Path) -> None:
    past = time.time() - generation._KEEP_SECONDS - 5
    os.utime(folder, (past, past))


@pytest.mark.parametrize("command", ["open", "refresh", "search on"])
def test_removed_postings_leave_the_disk_with_the_next_command_after_the_time_of_grace(
    office: Office, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = office.shelf()
    shelf.opened()
    before = generation.current(office.root)
    drop(office.database, office.collection, "a")
    shelf.refresh()
    assert before is not None and before.is_dir()
    age(before)
    if command == "search on":
        shelf._sweep_at = 0.0  # a minute later
        shelf.opened()
    else:
        work = {"open": office.shelf().opened, "refresh": office.shelf().refresh}
        work[command]()
    assert not before.exists()


def test_what_is_long_in_the_making_is_not_swept(office: Office) -> None:
    office.shelf().opened()
    with locked(office.root.parent / "index.lock"):
        making = generation.begin(office.root, 7)
        age(making)
        office.shelf().opened()
        assert making.is_dir()


def test_a_bug_beside_the_parsers_is_a_line_in_the_log_and_no_traceback(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    met = threading.Event()

    def broken(*_: object, **__: object) -> None:
        met.set()
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(office.known[office.old], "encode", broken)
    with caplog.at_level(logging.INFO), office.shelf().embedder().beside() as wake:
        wake()
        assert met.wait(PATIENCE)
    assert "encoding beside the parsers stopped: ZeroDivisionError: a bug" in caplog.text


def test_vectors_are_read_block_by_block(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_BLOCK", 3)
    office.put("b", "\n".join(f"word{i}" for i in range(10)))
    sizes: list[int] = []
    update = dense_index.update

    def noted(source: Any, target: Path, added: Any, *rest: Any) -> int:
        def seen() -> Iterator[Any]:
            for ids, vectors in added:
                sizes.append(len(ids))
                yield ids, vectors

        return update(source, target, seen(), *rest)

    monkeypatch.setattr(dense_index, "update", noted)
    opened = office.shelf().opened()
    assert sizes == [3, 3, 3, 3] and len(opened.dense) == 12


def test_an_encoder_that_cannot_be_loaded_leaves_the_held_index_in_use(office: Office) -> None:
    known = office.known

    def encoders(name: str, fingerprint: str | None = None, /) -> FakeEncoder:
        if name == "new":
            raise SettingsError("no such model")
        return known[name]

    shelf = Shelf(office.database, "default", office.root, encoders)
    shelf.opened()
    office.shelf().change_encoder("new")
    assert texts(Dense(shelf)(ask("red cat")))[0] == "red cat"
    with pytest.raises(SettingsError, match="no such model"):
        Shelf(office.database, "default", office.root, encoders).opened()
