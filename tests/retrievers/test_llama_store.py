"""What a vector store does wrong, and what then is said: never an empty result, never a secret."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pilotfish.errors import IndexCorrupt, NotFound, PilotfishError, SettingsError, Unavailable
from retrievers import dense_llama, generation, llama_store
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse
from retrievers.llama_store import Named
from retrievers.nearest import keeper
from retrievers.shelf import Shelf
from store import passages
from store.collections import Collection
from tests.conftest import ROOT
from tests.retrievers.house import House, age, ask, found, lines
from tests.store.made import document

STORE = "tests.retrievers.stores:opened"
SECRET = "hunter2-hunter2"


def test_an_id_carries_its_set_and_its_number() -> None:
    one, other = Named("0123456789abcdef", "c", "e"), Named("1123456789abcdef", "c", "e")
    for number in (0, 1, 77, 2**61, 2**62 - 1):
        made = one.id_of(number)
        assert uuid.UUID(made).version == 8 and uuid.UUID(made).variant == uuid.RFC_4122
        assert one.number_of(made) == number and other.number_of(made) is None
    assert len({one.id_of(n) for n in range(1000)}) == 1000
    assert [one.number_of(text) for text in ("", "12", "no id", str(uuid.UUID(int=7)))] == [
        None
    ] * 4


def test_metadata_is_never_taken_for_a_number() -> None:
    for value in Named("1" * 16, "1e5", "123").metadata().values():
        with pytest.raises(ValueError, match="could not convert"):
            float(value)


def test_faiss_needs_no_llama_index() -> None:
    code = (
        "import sys; from retrievers.nearest import keeper; keeper('faiss', {})\n"
        "import retrievers.shelf, retrievers.dense_llama; print('llama_index' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_manifest_from_before_vector_stores_is_one_of_faiss(tmp_path: Path) -> None:
    old = '{"format": 2, "collection": "u", "revision": 1, "encoder": "e", "passages": 1, '
    (tmp_path / "manifest.json").write_text(old + '"vectors": 1, "buried": 0, "files": {}}')
    assert generation.read_manifest(tmp_path).dense == "faiss"


def test_an_index_whose_vectors_lie_elsewhere_than_the_settings_say_does_not_fit() -> None:
    folder, collection = Path("gen"), Collection(1, "default", 3, "e", 64, "uid")
    manifest = generation.Manifest(2, "uid", 3, "fp", 1, 1, 0, {}, STORE)
    generation.must_fit(folder, manifest, collection, "fp", STORE)
    with pytest.raises(IndexCorrupt, match="the settings say faiss: run pilotfish doctor"):
        generation.must_fit(folder, manifest, collection, "fp")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield from _house(tmp_path, "Noted")


@pytest.fixture
def shallow(tmp_path: Path) -> Iterator[House]:
    yield from _house(tmp_path, "Shallow")


def _house(folder: Path, kind: str) -> Iterator[House]:
    one = House(folder / "house", STORE, {"name": str(folder), "kind": kind})
    yield one
    one.close()


def named(house: House) -> str:
    return str(house.options["name"])


@pytest.mark.slow
def test_a_store_that_is_away_is_told_and_is_no_empty_result(house: House) -> None:
    from tests.retrievers import stores

    house.put(document("a", lines(1, 6)))
    house.refresh()
    house.there.opened()
    stores.away.add(named(house))
    for step in (Dense(house.there), Fuse((BM25(house.there), Dense(house.there)))):
        with pytest.raises(Unavailable, match="is it running"):
            step(ask("red star"))
    with pytest.raises(Unavailable):
        house.shelf().opened()
    with pytest.raises(Unavailable):
        house.there.refresh(rebuild=True)
    stores.away.clear()
    assert found(house.there, "red star") == pytest.approx(found(house.here, "red star"), abs=1e-5)


@pytest.mark.slow
def test_what_a_store_complains_of_shows_no_secret_and_one_line(house: House) -> None:
    from tests.retrievers import stores

    house.put(document("a", "red cat"))
    house.there.refresh()
    stores.away.add(named(house))
    with pytest.raises(Unavailable) as caught:
        house.there.opened().dense.search(house.encoder.encode(["red"])[0], 3)
    stores.away.clear()
    said = str(caught.value)
    assert STORE in said and "ConnectionError" in said
    assert SECRET not in said and "\n" not in said and caught.value.__cause__ is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("no.such.package:Store", {}, "ModuleNotFoundError"),
        ("tests.retrievers.stores:missing", {}, "AttributeError"),
        ("tests.retrievers.stores:Noted.missing", {}, "AttributeError"),
        (STORE, {"nme": "x"}, "TypeError"),
        ("tests.retrievers.stores:nothing", {}, "is no LlamaIndex vector store"),
        ("tests.retrievers.stores:refuse", {"password": SECRET}, r"no such user with \[redacted\]"),
        ("tests.retrievers.stores:refuse", {"deep": {"key": 1}}, "TypeError"),
    ],
)
def test_a_store_that_is_not_as_configured_is_for_the_user_to_mend(
    path: str, options: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        llama_store.opened(path, options)
    assert SECRET not in str(caught.value) and path in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError("no"), Unavailable),
        (TimeoutError("slow"), Unavailable),
        (type("OperationalError", (Exception,), {})("server closed the connection"), Unavailable),
        (type("Exotic", (Exception,), {})("?"), Unavailable),
        (type("OperationalError", (Exception,), {})("password authentication failed"),
         SettingsError),
        (type("DataError", (Exception,), {})("expected 384 dimensions, not 32"), SettingsError),
        (ValueError("embedding"), SettingsError),
        (NotFound("ours"), NotFound),
    ],
)  # fmt: skip
def test_what_passes_by_itself_is_told_from_what_somebody_must_mend(
    house: House, error: Exception, kind: type[PilotfishError]
) -> None:
    with pytest.raises(kind) as caught, house.store._asked():
        raise error
    assert type(caught.value) is kind


@pytest.mark.slow
def test_what_an_approximate_store_does_not_give_is_found_in_the_database(
    shallow: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(4):
        shallow.put(document(f"d{i}", lines(i, 10), metadata={"n": i}))
    for where in (None, "n >= 1"):
        wanted = found(shallow.here, "red star", where)
        got = found(shallow.there, "red star", where)
        assert list(got.values()) == pytest.approx(list(wanted.values()), abs=1e-5)
    monkeypatch.setattr(dense_llama, "FEW", 0)
    wanted = found(shallow.here, "red star", "n >= 1")
    got = found(shallow.there, "red star", "n >= 1")
    assert list(got.values()) == pytest.approx(list(wanted.values()), abs=1e-5)


@pytest.mark.slow
def test_a_large_collection_takes_what_an_approximate_store_gives_and_says_so(
    shallow: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dense_llama, "EXACT", 0)
    monkeypatch.setattr(dense_llama, "FEW", 0)
    shallow.put(document("a", lines(1, 30)))
    assert 0 < len(found(shallow.there, "red star")) <= 5
    assert found(shallow.there, "blue cat") and caplog.text.count("look at more") == 1
    kept = shallow.kept()
    shallow.store.clear(kept.named, kept.vector)
    with pytest.raises(SettingsError, match="found none of 30 vectors"):
        found(shallow.there, "red star")


@pytest.mark.slow
def test_scores_are_cosines_whatever_the_store_calls_a_score(tmp_path: Path) -> None:
    for house in _house(tmp_path, "Distances"):
        house.put(document("a", "red cat\nblue dog"))
        best = next(iter(found(house.there, "red cat").values()))
        assert best == pytest.approx(1.0, abs=1e-3)


@pytest.mark.slow
def test_vectors_that_cannot_be_removed_now_wait_with_their_folder(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.retrievers import stores

    house.put(document("a", "red cat"))
    house.there.refresh()
    old, folder = house.kept(), generation.current(house.root)
    assert folder is not None
    house.there.refresh(rebuild=True)
    age(folder)
    stores.away.add(named(house))
    house.there.sweep()
    stores.away.clear()
    assert folder.exists() and "wait to be removed" in caplog.text
    house.there.sweep()
    assert not folder.exists() and house.store.ids(old.named, old.vector, 9) == set()


@pytest.mark.slow
def test_vectors_in_a_store_that_is_no_longer_set_are_named(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.put(document("a", "red cat"))
    house.there.refresh()
    folder = generation.current(house.root)
    assert folder is not None
    for path in ("faiss", STORE):
        shelf = Shelf(
            house.database, "default", house.root, lambda *_: house.encoder,
            keeper(path, {"name": "another"}),
        )  # fmt: skip
        shelf.refresh()
        age(folder)
        shelf.sweep()
        assert not folder.exists()
        folder = generation.current(house.root)
        assert folder is not None
    assert "its vectors stay in the store" in caplog.text


@pytest.mark.slow
def test_one_process_opens_a_store_once_and_changes_none_of_its_options() -> None:
    options = {"name": "once", "kind": "Noted"}
    first = llama_store.opened(STORE, options)
    assert llama_store.opened(STORE, dict(options)) is first
    assert llama_store.opened(STORE, options | {"name": "twice"}) is not first
    llama_store.close(STORE, options)
    assert llama_store.opened(STORE, options) is not first
    assert options == {"name": "once", "kind": "Noted"}


@pytest.mark.slow
def test_vectors_are_put_and_removed_a_thousand_at_a_time(house: House) -> None:
    from tests.retrievers import stores

    one = Named("0123456789abcdef", "c", "e")
    ids = np.arange(2500, dtype=np.int64)
    vectors = np.random.default_rng(0).standard_normal((2500, 4)).astype(np.float32)
    house.store.put(one, ids, vectors, fresh=True)
    assert stores.calls[named(house)] == ["add"] * 3
    house.store.put(one, ids[:10], vectors[:10])  # in place of what is there
    assert house.store.ids(one, vectors[0], 5000) == set(range(2500))
    house.store.remove(one, list(range(2000)))
    assert house.store.ids(one, vectors[0], 5000) == set(range(2000, 2500))


@pytest.mark.slow
def test_who_holds_an_index_of_before_another_encoder_still_finds_with_it(house: House) -> None:
    house.put(document("a", "red cat\nblue dog\ngreen fish"))
    wanted = list(found(house.there, "blue dog"))
    with house.database.write() as connection:
        passages.drop_vectors(connection, ["fake-2"])
    assert next(iter(found(house.there, "blue dog"))) == wanted[0]
