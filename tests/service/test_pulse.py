"""A worker's pulse: what it keeps, what it gives back, and when it ends its process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pilotfish.errors import Unavailable
from store import items, ledger, ringing, submissions
from store.database import Database
from store.items import Taken
from store.ledger import Call, Spender
from store.schema import items as rows
from store.schema import ledger as calls
from store.submissions import Submission
from tests.store.made import fresh_database, with_collection
from workers import pulse
from workers.pulse import HUNG, Pulse

LEASE = 5.0


@dataclass(slots=True)
class Ground:
    """A database, one worker's pulse, and with what status it left."""

    database: Database
    left: list[int] = field(default_factory=list)

    def pulse(self, owner: str = "me", **more: float) -> Pulse:
        return Pulse(self.database, owner, LEASE, more.get("item_seconds", 300.0), self.left.append)

    def submit(self, count: int = 1, kind: str = "answer") -> list[int]:
        """A job of so many items; their ids."""
        asked = [(f"q{n}", {"question": "?"}) for n in range(count)]
        given = Submission(with_collection(self.database).id, "plain", {}, asked, kind)
        with self.database.write() as connection:
            submissions.submit(connection, given)
            return ringing.due(connection, count)

    def take(self, item_id: int, owner: str = "me") -> Taken:
        with self.database.write() as connection:
            taken = items.take(connection, item_id, owner, LEASE)
        assert taken is not None
        return taken

    def item(self, item_id: int) -> tuple[str, int]:
        """(state, attempts)."""
        with self.database.read() as connection:
            row = connection.execute(select(rows).where(rows.c.id == item_id)).one()
        return row.state, row.attempts

    def lease(self, item_id: int) -> float:
        with self.database.read() as connection:
            query = select(rows.c.lease_until).where(rows.c.id == item_id)
            return float(connection.scalar(query) or 0.0)

    def change(self, item_id: int, **values: object) -> None:
        with self.database.write() as connection:
            connection.execute(update(rows).where(rows.c.id == item_id).values(**values))


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    database = fresh_database(tmp_path)
    yield Ground(database)
    database.close()


def test_only_what_is_at_work_keeps_its_lease(ground: Ground) -> None:
    at_work, dropped = ground.submit(2)
    beating, taken = ground.pulse(), ground.take(at_work)
    ground.take(dropped)
    for item_id in (at_work, dropped):
        ground.change(item_id, lease_until=1.0)
    with beating.working(taken):
        beating.beat()
    assert ground.lease(at_work) > time.time()
    assert ground.lease(dropped) == 1.0, "what nobody works on would never come into other hands"


def test_an_item_whose_end_could_not_be_written_is_given_back_unburnt(ground: Ground) -> None:
    (item_id,) = ground.submit()
    beating, taken = ground.pulse(), ground.take(item_id)
    with beating.working(taken):
        raise Unavailable("the database is away")
    assert ground.item(item_id) == ("leased", 1)
    beating.beat()
    assert ground.item(item_id) == ("pending", 0)
    again = ground.take(item_id)
    beating.beat()
    assert ground.item(item_id) == ("leased", 1), "it was given back twice"
    assert again.fence == taken.fence + 1


def test_a_call_of_an_item_that_goes_back_is_of_unknown_outcome(ground: Ground) -> None:
    (item_id,) = ground.submit()
    taken = ground.take(item_id)
    call = Call("", None, "m", [{"role": "user", "content": "?"}], {})
    with ground.database.write() as connection:
        row = ledger.reserve(connection, call, Spender(item_id=item_id), 0.1)
        items.put_back(connection, taken)
        assert connection.scalar(select(calls.c.state).where(calls.c.id == row)) == "unknown"


def test_an_item_taken_twice_by_one_worker_is_kept_as_long_as_the_later_works(
    ground: Ground,
) -> None:
    (item_id,) = ground.submit()
    beating, first = ground.pulse(), ground.take(item_id)
    ground.change(item_id, lease_until=1.0)
    second = ground.take(item_id)
    with beating.working(second):
        with beating.working(first):
            pass
        ground.change(item_id, lease_until=1.0)
        beating.beat()
    assert ground.lease(item_id) > time.time()


def test_a_stuck_item_is_put_back_and_the_process_told_to_end(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item_id,) = ground.submit()
    told: list[int] = []
    monkeypatch.setattr(pulse.os, "kill", lambda _pid, number: told.append(number))
    monkeypatch.setattr(pulse, "GRACE_SECONDS", 0.0)
    beating, taken = ground.pulse(item_seconds=-1.0), ground.take(item_id)
    with beating.working(taken):
        beating.beat()
    assert ground.item(item_id) == ("pending", 1) and len(told) == 1
    time.sleep(0.01)
    beating.beat()
    assert set(ground.left) == {HUNG}


def test_a_worker_that_hears_nothing_leaves_but_for_work_that_is_not_its(ground: Ground) -> None:
    ids = ground.submit()
    with ground.database.write() as connection:
        ringing.rung(connection, ids)
    for kinds, left in ((("index",), []), (("answer",), [HUNG])):
        beating = ground.pulse()
        beating.kinds, beating._patience = kinds, 0.05
        beating.beat()
        time.sleep(0.1)
        beating.beat()
        assert ground.left == left


def test_a_worker_is_deaf_only_when_somebody_was_rung_for_all_the_time(ground: Ground) -> None:
    ids = ground.submit()
    beating = ground.pulse()
    beating._patience = 0.05
    time.sleep(0.1)
    beating.beat()
    assert ground.left == [], "nobody had been rung for"
    with ground.database.write() as connection:
        ringing.rung(connection, ids)
    beating.beat()
    assert ground.left == [], "rung for a moment ago"


def test_a_taken_item_is_due_at_once_when_its_lease_has_run_out(ground: Ground) -> None:
    (item_id,) = ground.submit()
    with ground.database.write() as connection:
        ringing.rung(connection, [item_id])
    ground.take(item_id)
    ground.change(item_id, lease_until=1.0)
    with ground.database.read() as connection:
        assert ringing.due(connection, 5) == [item_id], "its bell of before was heard"


def test_a_queue_that_was_wiped_has_lost_the_bells_of_leases_that_ran_out_too(
    ground: Ground,
) -> None:
    (item_id,) = ground.submit()
    ground.take(item_id)
    ground.change(item_id, lease_until=1.0)
    with ground.database.write() as connection:
        ringing.rung(connection, [item_id])
        assert ringing.due(connection, 5) == []
        ringing.unring(connection)
        assert ringing.due(connection, 5) == [item_id]
