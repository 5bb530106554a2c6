"""Doing one item: what is nobody's fault burns no attempt, what breaks does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.errors import SettingsError, Unavailable
from pilotfish.settings import Settings
from store import ringing, submissions
from store.schema import items as rows
from store.submissions import Submission
from tests.store.made import with_collection
from workers.indexing import Indexing
from workers.inline import InlineBell
from workers.process import Process
from workers.tasks import make_pulse


@pytest.fixture
def indexing(tmp_path: Path) -> Iterator[Indexing]:
    process = Process(Settings(workspace=tmp_path / "workspace"))
    bell = InlineBell(lambda _kind, _id: None, 1)
    yield Indexing(process, bell, make_pulse(process))
    bell.close()
    process.close()


def submitted(indexing: Indexing) -> tuple[str, int]:
    """An index job of one file: its id, its item's id."""
    database = indexing.process.database
    collection = with_collection(database)
    given = Submission(
        collection.id, "index", {}, [("a.md", {"file": "f", "name": "a.md"})], "index"
    )
    with database.write() as connection:
        job, _ = submissions.submit(connection, given)
        return job, ringing.due(connection, 1)[0]


def attempts(indexing: Indexing) -> tuple[str, int]:
    with indexing.process.database.read() as connection:
        row = connection.execute(rows.select()).one()
    return row.state, row.attempts


@pytest.mark.parametrize(
    ("error", "expected", "job_state"),
    [
        (Unavailable("the database is away"), ("pending", 0), "running"),
        (SettingsError("no such encoder"), ("pending", 0), "paused"),
        (MemoryError(), ("pending", 1), "running"),
        (SystemExit(3), ("pending", 1), "running"),
    ],
)
def test_only_what_breaks_burns_an_attempt(
    indexing: Indexing, monkeypatch: pytest.MonkeyPatch, error: BaseException,
    expected: tuple[str, int], job_state: str,
) -> None:  # fmt: skip
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(Indexing, "_add", broken)
    job, item = submitted(indexing)
    indexing(item)
    assert attempts(indexing) == expected
    with indexing.process.database.read() as connection:
        assert submissions.find(connection, job, "").state == job_state
