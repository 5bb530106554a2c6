"""What the dispatcher finds to ring for: fair among jobs, and without reading all that waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, update

from store import items, leases, ringing, submissions
from store.database import Database
from store.schema import items as rows
from tests.store.made import fresh_database, queued, with_collection


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = fresh_database(tmp_path)
    with_collection(opened)
    yield opened
    opened.close()


def jobs_of(connection: Connection, ids: list[int]) -> list[str]:
    query = rows.select().where(rows.c.id.in_(ids))
    by_id = {row.id: row.job_id for row in connection.execute(query)}
    return [by_id[i] for i in ids]


def test_each_id_is_of_the_job_that_has_the_fewest_in_the_queue(database: Database) -> None:
    large, later = queued(database, 40, "a"), queued(database, 40, "b")
    with database.write() as connection:
        first = ringing.due(connection, 6)
        assert jobs_of(connection, first) == [large, later] * 3
        ringing.rung(connection, [i for i in first if i <= 40])  # three of the first job
        assert jobs_of(connection, ringing.due(connection, 5)) == [later] * 4 + [large]


def test_a_job_behind_many_larger_ones_gets_its_turn(database: Database) -> None:
    for n in range(20):
        queued(database, 30, f"x{n}-")
    last = queued(database, 30, "z")
    with database.write() as connection:
        ringing.rung(connection, ringing.due(connection, 16))
        assert last in jobs_of(connection, ringing.due(connection, 16))


def test_small_jobs_are_told_from_larger_ones(database: Database) -> None:
    large, small = queued(database, 17, "a"), queued(database, 16, "b")
    with database.write() as connection:
        assert set(jobs_of(connection, ringing.due(connection, 99, small=True))) == {small}
        assert set(jobs_of(connection, ringing.due(connection, 99, small=False))) == {large}
        ringing.rung(connection, ringing.due(connection, 5, small=True))
        ringing.rung(connection, ringing.due(connection, 3, small=False))
        assert ringing.outstanding(connection) == ringing.Outstanding(5, 3, 0)


def test_what_was_taken_meanwhile_is_not_noted_as_rung(database: Database) -> None:
    queued(database, 2, "a")
    with database.write() as connection:
        first, second = ringing.due(connection, 2)
        assert items.take(connection, first, "me", 60) is not None
        ringing.rung(connection, [first, second])
        found = {row.id: row.rung for row in connection.execute(rows.select())}
    assert found[first] is None and found[second] is not None


def test_an_item_whose_owner_fell_silent_is_due_again(database: Database) -> None:
    queued(database, 3, "a")
    with database.write() as connection:
        taken = items.take(connection, ringing.due(connection, 1)[0], "gone", 60)
        assert taken is not None and taken.id not in ringing.due(connection, 9)
        connection.execute(update(rows).where(rows.c.id == taken.id).values(lease_until=1.0))
        assert taken.id in ringing.due(connection, 9)


def test_no_look_of_the_dispatcher_reads_all_items(database: Database) -> None:
    queued(database, 50, "a")
    seen: list[tuple[str, Any]] = []
    engine = database._engine

    def see(_one: Any, _two: Any, statement: str, values: Any, *_rest: Any) -> None:
        seen.append((statement, values))

    event.listen(engine, "before_cursor_execute", see)
    with database.write() as connection:
        leases.free(connection, "dispatcher", "me")
        submissions.unfinished(connection)
        submissions.finished(connection)
        items.lost(connection)
        items.bury(connection)
        ids = ringing.due(connection, 16, small=False)
        ringing.rung(connection, ids)
        ringing.kinds(connection, ids)
        ringing.outstanding(connection)
        asked = [one for one in seen if one[0].startswith(("SELECT", "UPDATE"))]
        plans = []
        for statement, values in asked:
            explained = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans += [(statement, row.detail) for row in explained]
    assert len(plans) > 10
    assert not [plan for plan in plans if plan[1].startswith("SCAN items")], plans
