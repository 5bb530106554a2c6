"""A library follows its collection's encoder; doctor knows a foreign index."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilotfish.errors import IndexCorrupt, NotFound
from pilotfish.settings import Settings
from pilotfish.types import Question
from pipeline import doctor
from pipeline.library import Library
from retrievers import generation
from store import collections, removal
from tests.retrievers.fake_encoder import FakeEncoder
from tests.store.made import document, drop, put

OLD = "all-MiniLM-L6-v2"


class Fakes:
    """Encoders by name, as models/encoders.py gives them."""

    def __init__(self) -> None:
        self.known = {OLD: FakeEncoder(), "new": FakeEncoder("fake-2", 16)}

    def __call__(self, name: str, fingerprint: str | None = None, /) -> FakeEncoder:
        return self.known[name]


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


def opened(folder: Path, fakes: Any) -> Library:
    return Library(Settings(workspace=folder), create=True, encoders=fakes)


@pytest.fixture
def library(tmp_path: Path, fakes: Fakes) -> Iterator[Library]:
    library = opened(tmp_path / "w", fakes)
    put(library.database, library.collection(), document("a", "red cat"))
    library.shelf.refresh()
    yield library
    library.database.close()


def test_a_running_library_follows_a_change_of_encoder_by_another(
    library: Library, fakes: Fakes, tmp_path: Path
) -> None:
    before = library.parts
    assert library.parts is before and library.encoder.fingerprint == "fake-1"
    other = opened(tmp_path / "w", fakes)
    other.reindex("new")
    other.database.close()
    assert library.encoder.fingerprint == "fake-2"
    assert library.parts is not before and library.parts.embed(["cat"]).shape == (1, 16)
    assert library.shelf.opened().encoder.fingerprint == "fake-2"


def test_doctor_finds_an_index_of_another_database(library: Library) -> None:
    assert all(one.ok for one in doctor._index(library))
    with library.database.write() as connection:
        connection.exec_driver_sql("UPDATE collections SET uid = 'another'")
    with pytest.raises(IndexCorrupt, match="built from another database"):
        list(doctor._index(library))


def test_doctor_takes_removed_postings_off_the_disk(library: Library) -> None:
    before = generation.current(library.shelf.root)
    assert before is not None
    drop(library.database, library.collection(), "a")
    library.shelf.refresh()
    past = time.time() - generation._KEEP_SECONDS - 5
    os.utime(before, (past, past))
    list(doctor._index(library))
    assert not before.exists()


def test_a_collection_made_anew_under_its_name_is_another_one(tmp_path: Path, fakes: Any) -> None:
    library = opened(tmp_path, fakes)
    before, purse = library.parts, library.purse()
    with library.database.write() as connection:
        removal.collection(connection, purse.collection_id)
        collections.ensure(connection, "other", OLD, 100)  # so that its number is not used again
        collections.ensure(connection, library.settings.collection, OLD, 100)
    assert library.parts is not before
    assert library.parts.collection_id == library.collection().id != purse.collection_id
    with pytest.raises(NotFound, match="made anew"):
        library.ask(Question("what?"), "default", purse)
