"""A paid reply outlives a database that is away; one that comes too late changes no books."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from pilotfish.errors import Unavailable
from pipeline.llm_errors import Failure
from pipeline.llm_ledger import Claim, Desk
from pipeline.purse import Purse
from store.database import Database
from store.ledger import Bill, Call
from store.schema import ledger
from tests.store.made import fresh_database, with_collection

PAID = Bill(10, 2, 0.01, "test")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = fresh_database(tmp_path)
    collection = with_collection(database)
    call = Call("", None, "m", [{"role": "user", "content": "?"}], {})
    yield Desk(Purse(database, collection.name, collection.id, 1), call, ())
    database.close()


def row(desk: Desk) -> Any:
    with desk.purse.database.read() as connection:
        return connection.execute(select(ledger)).one()


def test_a_reply_is_stored_when_the_database_is_there_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, write, away = desk.claim(0.1, 5, 1.0), Database.write, [True, True]
    assert isinstance(claim, Claim)

    @contextlib.contextmanager
    def flaky(self: Database, *given: Any, **named: Any) -> Iterator[Connection]:
        if away:
            away.pop()
            raise Unavailable("away")
        with write(self, *given, **named) as connection:
            yield connection

    monkeypatch.setattr(Database, "write", flaky)
    desk.store(claim, "{}", PAID)
    assert (row(desk).state, row(desk).cost_usd) == ("done", 0.01)


def test_what_comes_after_the_outcome_was_called_unknown_changes_nothing(desk: Desk) -> None:
    claim = desk.claim(0.1, 5, 1.0)
    assert isinstance(claim, Claim)
    with desk.purse.database.write() as connection:
        connection.execute(update(ledger).values(state="unknown"))
    desk.store(claim, "{}", PAID)
    assert desk.fail(claim.row_id, Failure("server_error", "")) == 0
    assert (row(desk).state, row(desk).reply, row(desk).cost_usd) == ("unknown", None, None)
