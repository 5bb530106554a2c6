"""The dispatcher over the memory queue: small jobs go ahead, one leads, what is over ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import update

from store import items, submissions
from store.database import Database
from store.schema import items as rows
from tests.store.made import fresh_database, queued, with_collection
from workers.bell import Kind
from workers.dispatch import LEAST_WINDOW, Dispatcher
from workers.inline import InlineBell


class Heard(InlineBell):
    """Remembers what was rung, and does nothing."""

    def __init__(self) -> None:
        super().__init__(lambda _kind, _id: None, 1)
        self.rung: list[tuple[int, bool]] = []
        self.born = "1"

    def ring(self, kind: Kind, ids: Sequence[int], *, first: bool = False) -> None:
        self.rung += [(i, first) for i in ids]

    def age(self) -> str:
        return self.born


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = fresh_database(tmp_path)
    with_collection(opened)
    yield opened
    opened.close()


@pytest.fixture
def bell() -> Iterator[Heard]:
    made = Heard()
    yield made
    made.close()


def test_ten_questions_behind_many_are_rung_at_once_and_ahead(
    database: Database, bell: Heard
) -> None:
    dispatcher = Dispatcher(database, bell, "a")
    queued(database, 1000)
    assert dispatcher.turn() == LEAST_WINDOW and dispatcher.turn() == 0
    queued(database, 10)
    bell.rung.clear()
    assert dispatcher.turn() == 10
    assert all(first for _, first in bell.rung)


def test_the_memory_queue_hands_out_what_is_first_before_what_came_earlier() -> None:
    done: list[int] = []
    bell = InlineBell(lambda _kind, item_id: done.append(item_id), 1)
    bell._pools["answer"].submit(lambda: bell.ring("answer", [1, 2]) or bell.ring(  # type: ignore[func-returns-value]
        "answer", [3], first=True)).result()  # fmt: skip
    bell._pools["answer"].shutdown(wait=True)
    assert done == [3, 1, 2]
    bell._pools["index"].shutdown()


def test_another_dispatcher_stands_by_and_rings_anew_when_it_takes_over(
    database: Database, bell: Heard
) -> None:
    queued(database, 3)
    one, other = Dispatcher(database, bell, "a"), Dispatcher(database, bell, "b")
    assert one.turn() == 3 and other.turn() == 0
    one.stop.set()
    one.run()  # lets go of its lease
    assert other.turn() == 3  # nobody knows whether the first had rung


def test_a_queue_that_was_started_anew_is_filled_again(
    database: Database, bell: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.dispatch.LOOK_SECONDS", 0.0)
    queued(database, 3)
    dispatcher = Dispatcher(database, bell, "a")
    assert dispatcher.turn() == 3 and dispatcher.turn() == 0
    bell.born = "2"
    assert dispatcher.turn() == 3


def test_what_was_left_after_its_last_attempt_is_dead_and_its_job_is_closed(
    database: Database, bell: Heard
) -> None:
    job = queued(database, 1)
    dispatcher = Dispatcher(database, bell, "a")
    with database.write() as connection:
        taken = items.take(connection, 1, "gone", 60)
        assert taken is not None
        connection.execute(update(rows).values(attempts=3, lease_until=1.0))
    dispatcher.turn()
    dispatcher.turn()
    with database.read() as connection:
        found = submissions.find(connection, job, "")
    assert found.state == "completed_with_errors" and found.counts == {"dead": 1}
