"""Budgets: held before, settled after, refused when it does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from store import budgets
from store.budgets import Budget
from tests.store.made import fresh_database

BOTH = ("job:a", "key:b")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = fresh_database(tmp_path)
    with database.write() as connection:
        budgets.limit(connection, "job:a", 1.0, 1000)
        budgets.limit(connection, "key:b", 0.5)
        yield connection
    database.close()


def state(connection: Connection) -> dict[str, tuple[float, int, float, int]]:
    found: list[Budget] = budgets.of(connection, BOTH)
    return {
        b.scope: (round(b.spent_usd, 6), b.spent_tokens, round(b.held_usd, 6), b.held_tokens)
        for b in found
    }


def test_what_is_held_becomes_what_is_spent(connection: Connection) -> None:
    assert budgets.hold(connection, BOTH, 0.2, 300) is None
    assert state(connection)["job:a"] == (0, 0, 0.2, 300)
    budgets.settle(connection, BOTH, (0.2, 300), (0.05, 120))
    assert state(connection) == {"job:a": (0.05, 120, 0, 0), "key:b": (0.05, 120, 0, 0)}


def test_one_scope_that_refuses_holds_nothing_in_the_others(connection: Connection) -> None:
    reason = budgets.hold(connection, BOTH, 0.6, 10)
    assert reason is not None and "key:b" in reason and "$0.600000" in reason
    assert state(connection) == {"job:a": (0, 0, 0, 0), "key:b": (0, 0, 0, 0)}


def test_what_others_hold_counts(connection: Connection) -> None:
    assert budgets.hold(connection, ("key:b",), 0.4, 10) is None
    assert budgets.hold(connection, ("key:b",), 0.2, 10) is not None
    assert budgets.hold(connection, ("key:b",), 0.1, 10) is None


def test_tokens_are_a_budget_too(connection: Connection) -> None:
    reason = budgets.hold(connection, ("job:a",), 0.0, 1001)
    assert reason is not None and "1001 tokens" in reason


def test_an_unknown_price_does_not_fit_a_budget_in_dollars(connection: Connection) -> None:
    assert "price" in (budgets.hold(connection, ("key:b",), None, 1) or "")
    assert budgets.hold(connection, ("job:none",), None, 1) is None


def test_a_new_limit_keeps_what_was_spent(connection: Connection) -> None:
    budgets.settle(connection, ("key:b",), (0.0, 0), (0.3, 5))
    budgets.limit(connection, "key:b", 2.0)
    assert state(connection)["key:b"][:2] == (0.3, 5)
    assert budgets.hold(connection, ("key:b",), 1.6, 1) is None
