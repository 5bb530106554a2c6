"""Jobs: claims in order, a fence against late writers, at most one result an item."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from store import jobs, schema
from store.database import Database
from tests.store.made import fresh_database, with_collection

QUESTIONS: list[tuple[str, dict[str, object]]] = [(f"q{i}", {"text": f"{i}?"}) for i in range(4)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    one = fresh_database(tmp_path)
    collection = with_collection(one)
    with one.write() as connection:
        assert jobs.submit(connection, "job", collection.id, {"recipe": "r"}, QUESTIONS)
    yield one
    one.close()


def claimed(database: Database, count: int = 1, lease: float = 60.0) -> list[jobs.Item]:
    with database.write() as connection:
        return jobs.claim(connection, "job", "me", count, lease)


def finish(database: Database, item: jobs.Item, state: str = "answered") -> bool:
    with database.write() as connection:
        error = {"code": "error"} if state == "failed" else None
        return jobs.finish(connection, item, state, {"by": item.fence}, error)


def progress(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return jobs.progress(connection, "job")


def test_submitting_the_same_job_again_changes_nothing(database: Database) -> None:
    with database.write() as connection:
        assert jobs.submit(connection, "job", 1, {}, [("new", {})]) is False
        assert [r["custom_id"] for r in jobs.results(connection, "job")] == ["q0", "q1", "q2", "q3"]
        assert connection.scalar(select(schema.jobs.c.recipe)) == "r"


def test_a_job_without_questions_has_no_items_and_is_completed(database: Database) -> None:
    with database.write() as connection:
        assert jobs.submit(connection, "empty", 1, {}, [])
        assert jobs.results(connection, "empty") == []
        assert jobs.close(connection, "empty") == "completed"


def test_items_are_claimed_in_order_and_once(database: Database) -> None:
    first, second = claimed(database, 3), claimed(database, 3)
    assert [item.custom_id for item in first] == ["q0", "q1", "q2"]
    assert [item.custom_id for item in second] == ["q3"]
    assert first[0].question == {"text": "0?"} and first[0].fence == 1
    assert claimed(database) == []


def test_an_item_that_may_not_start_yet_is_passed_by(database: Database) -> None:
    rows = schema.items
    with database.write() as connection:
        soon = {0: time.time() + 60, 1: time.time() - 60}
        for ordinal, at in soon.items():
            connection.execute(update(rows).where(rows.c.ordinal == ordinal).values(not_before=at))
    assert [item.ordinal for item in claimed(database, 9)] == [1, 2, 3]


def test_a_result_is_written_once(database: Database) -> None:
    (item,) = claimed(database)
    assert finish(database, item) is True
    assert finish(database, item, "failed") is False
    with database.read() as connection:
        first = jobs.results(connection, "job")[0]
    assert (first["state"], first["result"], first["error"]) == ("answered", {"by": 1}, None)


def test_a_worker_that_lost_its_claim_writes_nothing(database: Database) -> None:
    (late,) = claimed(database)
    with database.write() as connection:
        assert jobs.release(connection, "job") == 1
    assert finish(database, late) is False  # released, not yet claimed again
    (item,) = claimed(database)
    assert (item.id, item.fence) == (late.id, late.fence + 1)
    assert finish(database, late) is False  # claimed by another
    assert finish(database, item) is True
    with database.read() as connection:
        assert jobs.results(connection, "job")[0]["result"] == {"by": item.fence}


def test_release_takes_up_stopped_and_forgotten_items_only(database: Database) -> None:
    items = claimed(database, 3)
    finish(database, items[0])
    finish(database, items[1], "failed")
    with database.write() as connection:
        connection.execute(
            update(schema.items).where(schema.items.c.ordinal == 3).values(state="forgotten")
        )
        assert jobs.release(connection, "job") == 2
    assert progress(database) == {"answered": 1, "failed": 1, "pending": 2}
    assert [item.ordinal for item in claimed(database, 9)] == [2, 3]


def test_retrying_failed_items_leaves_the_answered_alone(database: Database) -> None:
    items = claimed(database, 2)
    finish(database, items[0])
    finish(database, items[1], "failed")
    with database.write() as connection:
        assert jobs.retry_failed(connection, "job") == 1
    (again,) = claimed(database)
    assert again.custom_id == "q1" and finish(database, again)
    with database.read() as connection:
        row = jobs.results(connection, "job")[1]
        attempts = connection.scalar(
            select(schema.items.c.attempts).where(schema.items.c.ordinal == 1)
        )
    assert (row["state"], row["error"], attempts) == ("answered", None, 2)


def test_progress_counts_by_state(database: Database) -> None:
    finish(database, claimed(database)[0], "abstained")
    claimed(database)
    assert progress(database) == {"abstained": 1, "leased": 1, "pending": 2}


@pytest.mark.parametrize(
    ("states", "closed"),
    [
        (["answered", "abstained", "answered"], "running"),
        (["answered", "abstained", "answered", "answered"], "completed"),
        (["answered", "failed", "abstained", "answered"], "completed_with_errors"),
        (["failed", "failed"], "running"),
    ],
)
def test_a_job_is_closed_by_the_states_of_its_items(
    database: Database, states: list[str], closed: str
) -> None:
    for state in states:
        finish(database, claimed(database)[0], state)
    with database.write() as connection:
        assert jobs.close(connection, "job") == closed
        assert connection.scalar(select(schema.jobs.c.state)) == closed


def test_jobs_do_not_touch_each_other(database: Database) -> None:
    with database.write() as connection:
        jobs.submit(connection, "other", 1, {}, QUESTIONS[:1])
        jobs.claim(connection, "other", "you", 9, 60.0)
        assert jobs.release(connection, "job") == 0
        assert jobs.retry_failed(connection, "job") == 0
    assert progress(database) == {"pending": 4}
