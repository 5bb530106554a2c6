"""A server, a database with the one passage that is quoted, and a caller over both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import collections, documents
from store.database import Database
from tests.llm_server import LLMServer
from tests.pipeline.llm.calling import CANARY, Caller
from tests.store.made import document


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as server:
        yield server


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the one passage that is quoted, made once: the migration takes long."""
    path = tmp_path_factory.mktemp("migrated") / "pilotfish.db"
    database = Database(path, create=True)
    with database.write() as connection:
        collections.ensure(connection, "default", "e", 100)
        documents.put(connection, 1, 1, document("returns.md", "30 days."))
    database.close()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(migrated, tmp_path / "pilotfish.db")
    database = Database(tmp_path / "pilotfish.db", create=False)
    yield database
    database.close()


@pytest.fixture
def caller(server: LLMServer, database: Database) -> Caller:
    return Caller(server, database)
