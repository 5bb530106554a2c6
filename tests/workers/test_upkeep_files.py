"""Uploads go when nothing will read them again: of failed items, of batches, left by crashes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from store import collections, items, removal, submissions, uploads
from store.database import Database
from store.submissions import Submission
from workers.upkeep import clear

DAY = 86_400.0
OLD = 30 * DAY


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "pilotfish.db", create=True)
    with made.write() as connection:
        collections.ensure(connection, "default", "e", 100)
    yield made
    made.close()


def upload(database: Database, root: Path, purpose: str, age: float = OLD) -> str:
    """A stored file of that age."""
    saved = uploads.save(root, [b"text"], 100)
    os.utime(uploads.place(root, saved[0]), (time.time() - age,) * 2)
    with database.write() as connection:
        uploads.record(connection, "acme", "a.md", purpose, saved)
        values = {"created": time.time() - age, "id": saved[0]}
        connection.execute(text("UPDATE files SET created = :created WHERE id = :id"), values)
    return saved[0]


def index_job(database: Database, file_id: str) -> str:
    with database.write() as connection:
        collection = collections.find(connection, "default")
        question = {"file": file_id, "name": "a.md"}
        job_id, _ = submissions.submit(connection, Submission(
            collection.id, "index", {}, [("a.md", question)], "index", "acme",
        ))  # fmt: skip
    return job_id


def ended(database: Database, job_id: str, state: str, age: float) -> None:
    """The job's one item has ended so, so long ago."""
    with database.write() as connection:
        values = {"state": state, "job": job_id, "then": time.time() - age}
        query = "UPDATE items SET state = :state, finished = :then WHERE job_id = :job"
        connection.execute(text(query), values)
        query = "UPDATE jobs SET state = 'completed_with_errors', finished = :then WHERE id = :job"
        connection.execute(text(query), {k: values[k] for k in ("job", "then")})


def there(root: Path) -> set[str]:
    return {path.name for path in (root / uploads.FOLDER).iterdir()}


@pytest.mark.parametrize("state", ["failed", "dead", "cancelled"])
def test_the_file_of_a_failed_item_waits_a_week_for_a_retry(
    database: Database, tmp_path: Path, state: str
) -> None:
    file_id = upload(database, tmp_path, uploads.DOCUMENTS)
    job = index_job(database, file_id)
    ended(database, job, state, 6 * DAY)
    assert clear(database, tmp_path, None) == 0 and there(tmp_path) == {file_id}
    ended(database, job, state, 8 * DAY)
    assert clear(database, tmp_path, None) == 1 and there(tmp_path) == set()


def test_it_waits_no_longer_than_text_is_kept(database: Database, tmp_path: Path) -> None:
    file_id = upload(database, tmp_path, uploads.DOCUMENTS)
    ended(database, index_job(database, file_id), "failed", 2 * DAY)
    assert clear(database, tmp_path, 3) == 0
    assert clear(database, tmp_path, 1) == 1 and not there(tmp_path)


def test_a_file_that_is_still_to_be_read_stays_however_old(
    database: Database, tmp_path: Path
) -> None:
    file_id = upload(database, tmp_path, uploads.DOCUMENTS)
    job = index_job(database, file_id)
    assert clear(database, tmp_path, 1) == 0
    ended(database, job, "failed", 8 * DAY)
    with database.write() as connection:
        items.retry(connection, job)
        submissions.reopen(connection, job)
    assert clear(database, tmp_path, 1) == 0 and there(tmp_path) == {file_id}


def test_what_was_deleted_or_has_ended_well_leaves_no_file(
    database: Database, tmp_path: Path
) -> None:
    names = [upload(database, tmp_path, uploads.DOCUMENTS) for _ in range(3)]
    jobs = [index_job(database, name) for name in names[:2]]
    ended(database, jobs[0], "failed", 60)
    ended(database, jobs[1], "answered", 60)
    with database.write() as connection:
        removal.job_text(connection, jobs[0])
    fresh = upload(database, tmp_path, uploads.DOCUMENTS, 60)  # its job is being made
    assert clear(database, tmp_path, None) == 3 and there(tmp_path) == {fresh}


def test_files_of_batches_are_kept_as_long_as_questions(database: Database, tmp_path: Path) -> None:
    old, young = (upload(database, tmp_path, "batch", age) for age in (5 * DAY, DAY))
    assert clear(database, tmp_path, None) == 0
    assert clear(database, tmp_path, 3) == 1 and there(tmp_path) == {young}
    with database.read() as connection:
        assert [row.id for row in uploads.listing(connection, "acme", 9)] == [young]
        assert old != young


def test_bytes_that_a_crash_left_without_a_row_go(database: Database, tmp_path: Path) -> None:
    (tmp_path / uploads.FOLDER).mkdir()
    stray, fresh, other = ((tmp_path / uploads.FOLDER / name) for name in (
        "file-" + "0" * 24, "file-" + "1" * 24, "notes.txt"))  # fmt: skip
    for path in (stray, fresh, other):
        path.write_bytes(b"text")
    for path in (stray, other):
        os.utime(path, (time.time() - 2 * uploads.ARRIVING,) * 2)
    known = upload(database, tmp_path, "batch")
    assert clear(database, tmp_path, None) == 1
    assert there(tmp_path) == {fresh.name, other.name, known}
