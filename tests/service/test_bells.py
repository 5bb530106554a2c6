"""The dispatcher rings again for whatever may have been lost on the way, and only one rings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, update

from store import items, ringing, submissions
from store.database import Database
from store.schema import items as rows
from store.submissions import Submission
from tests.store.made import fresh_database, with_collection
from workers import dispatch
from workers.bell import Kind, QueueUnreachable
from workers.dispatch import Dispatcher
from workers.inline import InlineBell


class Bell(InlineBell):
    """Rings for nobody; notes the ids. `age` may change, and a kind may be out of reach."""

    def __init__(self) -> None:
        super().__init__(lambda _kind, _id: None, 1)
        self.heard: list[int] = []
        self.run_id = "1"
        self.away: set[Kind] = set()

    def ring(self, kind: Kind, ids: Sequence[int], *, first: bool = False) -> None:
        if kind in self.away:
            raise QueueUnreachable("away")
        self.heard += ids

    def age(self) -> str:
        return self.run_id


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = fresh_database(tmp_path)
    yield made
    made.close()


def submit(database: Database, kind: str = "answer") -> int:
    """A job of one item; its id."""
    given = Submission(with_collection(database).id, "plain", {}, [("q", {})], kind)
    with database.write() as connection:
        job, _ = submissions.submit(connection, given)
        return int(connection.scalar(select(rows.c.id).where(rows.c.job_id == job)) or 0)


def test_who_takes_over_rings_again_for_what_the_other_may_have_noted_only(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "LEASE_SECONDS", 0.2)
    item_id, bell = submit(database), Bell()
    first, second = (Dispatcher(database, bell, owner) for owner in ("one", "two"))
    assert (first.turn(), second.turn(), first.turn()) == (1, 0, 0)
    assert bell.heard == [item_id]
    time.sleep(0.3)
    assert (second.turn(), first.turn()) == (1, 0)
    assert bell.heard == [item_id] * 2


def test_a_queue_that_was_started_anew_is_rung_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "LOOK_SECONDS", 0.0)
    item_id, bell = submit(database), Bell()
    dispatcher = Dispatcher(database, bell, "one")
    assert (dispatcher.turn(), dispatcher.turn()) == (1, 0)
    bell.run_id = "2"
    assert (dispatcher.turn(), dispatcher.turn()) == (1, 0)
    assert bell.heard == [item_id] * 2


def test_what_could_not_be_rung_is_due_again_at_once(database: Database) -> None:
    wanted, bell = {submit(database), submit(database, "index")}, Bell()
    dispatcher = Dispatcher(database, bell, "one")
    bell.away = {"index"}
    with pytest.raises(QueueUnreachable):
        dispatcher.turn()
    bell.heard, bell.away = [], set()
    assert dispatcher.turn() == 2 and set(bell.heard) == wanted


def test_an_item_that_was_left_is_rung_for_as_soon_as_its_lease_has_run_out(
    database: Database,
) -> None:
    item_id, bell = submit(database), Bell()
    dispatcher = Dispatcher(database, bell, "one")
    assert dispatcher.turn() == 1
    with database.write() as connection:
        assert items.take(connection, item_id, "dead", 60) is not None
    assert dispatcher.turn() == 0
    with database.write() as connection:
        connection.execute(update(rows).values(lease_until=1.0))
    assert dispatcher.turn() == 1 and bell.heard == [item_id] * 2


def test_somebody_waits_only_while_a_bell_is_unheard(database: Database) -> None:
    item_id, dispatcher = submit(database), Dispatcher(database, Bell(), "one")

    def waits(*kinds: str) -> bool:
        with database.read() as connection:
            return ringing.waiting(connection, kinds)

    assert not waits("answer")
    dispatcher.turn()
    assert waits("answer", "index") and not waits("index")
    with database.write() as connection:
        items.take(connection, item_id, "me", 60)
    assert not waits("answer")
