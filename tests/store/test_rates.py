"""Rates: what a minute allows, what a 429 does to it, failures in a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from store import rates
from store.database import Database
from store.rates import MINUTE, Rate
from tests.store.made import fresh_database


class Clock:
    """time.time() that a test may move."""

    now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rates, "time", clock)
    return clock


@pytest.fixture
def connection(tmp_path: Path, clock: Clock) -> Iterator[Connection]:
    database: Database = fresh_database(tmp_path)
    with database.write() as connection:
        yield connection
    database.close()


def admitted(connection: Connection, count: int, rate: Rate, tokens: int = 10) -> list[float]:
    return [rates.admit(connection, "m", rate, tokens) for _ in range(count)]


def test_a_minute_takes_so_many_requests_and_no_more(connection: Connection, clock: Clock) -> None:
    waits = admitted(connection, 4, Rate(requests=3))
    assert waits == [0, 0, 0, MINUTE]
    clock.now += MINUTE
    assert admitted(connection, 1, Rate(requests=3)) == [0]


def test_a_minute_takes_so_many_tokens_and_a_giant_alone(
    connection: Connection, clock: Clock
) -> None:
    assert admitted(connection, 3, Rate(tokens=25)) == [0, 0, MINUTE]
    clock.now += MINUTE
    assert admitted(connection, 1, Rate(tokens=25), tokens=400) == [0]
    assert admitted(connection, 1, Rate(tokens=25), tokens=1) == [MINUTE]


def test_a_429_halves_the_allowance_and_success_gives_it_back(
    connection: Connection, clock: Clock
) -> None:
    rates.slowed(connection, "m", None)
    assert admitted(connection, 3, Rate(requests=4)) == [0, 0, MINUTE]
    for _ in range(40):
        rates.succeeded(connection, "m")
    clock.now += MINUTE
    assert admitted(connection, 5, Rate(requests=4)) == [0, 0, 0, 0, MINUTE]


def test_a_retry_after_holds_for_everybody_also_without_limits(
    connection: Connection, clock: Clock
) -> None:
    rates.slowed(connection, "m", 7.0)
    assert admitted(connection, 1, Rate()) == [7.0]
    clock.now += 7.0
    assert admitted(connection, 1, Rate()) == [0]


def test_failures_in_a_row_are_counted_until_one_succeeds(connection: Connection) -> None:
    assert [rates.failed(connection, "m", "HTTP 500") for _ in range(3)] == [1, 2, 3]
    rates.succeeded(connection, "m")
    assert rates.failed(connection, "m", "HTTP 500") == 1
    rates.forgive(connection)
    assert rates.failed(connection, "m", "HTTP 500") == 1
