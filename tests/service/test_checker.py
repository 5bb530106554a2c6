"""The checker finds what it is there to find: every violation, seeded one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, delete, insert, update

from store.schema import budgets, collections, items, jobs, ledger, metadata
from tests.service.checker import Report, check

KEYS = ("a" * 64, "b" * 64, "c" * 64)
COUNTS = {"requests": 3, "per_key": dict.fromkeys(KEYS, 1), "paid": dict.fromkeys(KEYS, 1)}
Break = Callable[[Connection], object]


class Seeded:
    """A database of one job with three answered items, one call each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = create_engine(f"sqlite:///{path}")
        metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            self._fill(connection)

    def _fill(self, connection: Connection) -> None:
        connection.execute(insert(collections).values(
            id=1, name="default", encoder="e", split_tokens=100, created=0.0))  # fmt: skip
        connection.execute(insert(jobs).values(
            id="job_1", collection_id=1, recipe="plain", parameters={}, kind="answer",
            state="completed", total=3, created=0.0))  # fmt: skip
        connection.execute(insert(budgets).values(
            scope="job:job_1", limit_usd=1.0, spent_usd=0.03, spent_tokens=36))  # fmt: skip
        for n, key in enumerate(KEYS):
            paid = {"llm_calls": 1, "prompt_tokens": 10, "completion_tokens": 2, "cost_usd": 0.01}
            line = {"custom_id": f"q{n}", "status": "answered", "receipt": paid}
            connection.execute(insert(items).values(
                id=n + 1, job_id="job_1", ordinal=n, custom_id=f"q{n}", question={},
                state="answered", result=line))  # fmt: skip
            connection.execute(insert(ledger).values(**row(n + 1, key, "done")))

    def broken(self, *breaks: Break) -> Report:
        """Break it, then check it with one kill of one call allowed."""
        with self.engine.begin() as connection:
            for one in breaks:
                one(connection)
        return check(str(self.path), COUNTS, kills=1, in_flight=1)

    def told(self, **counts: Any) -> Report:
        return check(str(self.path), {**COUNTS, **counts}, kills=1, in_flight=1)


def row(item: int, key: str, state: str, attempt: int = 1) -> dict[str, Any]:
    """A row of the ledger; only a done one was billed."""
    billed = {"prompt_tokens": 10, "completion_tokens": 2, "cost_usd": 0.01, "cost_source": "x"}
    return {"key": key, "attempt": attempt, "state": state, "owner": "me", "item_id": item,
            "model": "m", "reserved_usd": 0.02, "created": 0.0, "job_id": "job_1",
            **(billed if state == "done" else {})}  # fmt: skip


def item(number: int, **values: Any) -> Break:
    return lambda c: c.execute(update(items).where(items.c.id == number).values(**values))


def job(**values: Any) -> Break:
    return lambda c: c.execute(update(jobs).values(**values))


def attempt(state: str, item_id: int = 1, number: int = 2) -> Break:
    return lambda c: c.execute(insert(ledger).values(**row(item_id, KEYS[0], state, number)))


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[Seeded]:
    made = Seeded(tmp_path / "seeded.db")
    yield made
    made.engine.dispose()


def test_a_run_in_order_has_no_problems(seeded: Seeded) -> None:
    report = seeded.broken()
    assert report.problems == []
    assert report.figures["items_answered"] == 3 and report.figures["repeated"] == 0


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (item(1, state="pending"), "lost"),
        (item(1, state="leased"), "lost"),
        (lambda c: c.execute(delete(items).where(items.c.id == 3)), "jobs_short"),
        (job(state="running"), "jobs_open"),
        (item(1, result=None), "without_result"),
        (item(1, result={"custom_id": "q1", "status": "answered"}), "others_result"),
        (item(1, result={"custom_id": "q0", "status": "abstained"}), "others_result"),
        (attempt("done"), "paid_twice"),
        (attempt("done"), "receipts_wrong"),
        (attempt("unknown"), "receipts_wrong"),
        (lambda c: c.execute(update(ledger).values(cost_usd=0.5)), "receipts_wrong"),
        (lambda c: c.execute(update(budgets).values(spent_usd=0.02)), "budgets_wrong"),
        (lambda c: c.execute(update(budgets).values(spent_tokens=35)), "budgets_wrong"),
        (lambda c: c.execute(update(budgets).values(held_usd=0.02)), "budgets_wrong"),
        (attempt("unknown"), "budgets_wrong"),
        (lambda c: c.execute(update(budgets).values(limit_usd=0.02)), "budgets_over"),
        (lambda c: c.execute(update(budgets).values(limit_tokens=35)), "budgets_over"),
    ],
)
def test_a_seeded_violation_is_found(seeded: Seeded, broken: Break, name: str) -> None:
    report = seeded.broken(broken)
    assert report.problems and report.figures[name] >= 1, report


def test_two_rows_of_one_question_are_found_where_no_constraint_forbids_them(
    seeded: Seeded,
) -> None:
    def loosened(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE loose AS SELECT * FROM items")
        connection.exec_driver_sql("DROP TABLE items")
        connection.exec_driver_sql("ALTER TABLE loose RENAME TO items")
        connection.exec_driver_sql("UPDATE items SET ordinal = 0 WHERE id = 2")

    assert seeded.broken(loosened).figures["doubled"] == 1


def test_repeated_calls_over_the_bound_are_found(seeded: Seeded) -> None:
    once = seeded.told(paid={KEYS[0]: 2, KEYS[1]: 1, KEYS[2]: 1})
    twice = seeded.told(paid={KEYS[0]: 2, KEYS[1]: 2, KEYS[2]: 1})
    assert once.figures["repeated"] == 1 and not any("bound" in p for p in once.problems)
    assert any("over the bound of 1" in p for p in twice.problems)


def test_a_repeated_call_that_the_ledger_does_not_show_is_found(seeded: Seeded) -> None:
    hidden = seeded.told(paid={KEYS[0]: 2}, per_key={KEYS[0]: 2})
    assert hidden.figures["uncounted"] == 1 and len(hidden.problems) == 2, hidden


def test_requests_that_no_row_of_the_ledger_announced_are_found(seeded: Seeded) -> None:
    stray = seeded.told(per_key={"d" * 64: 1})
    assert stray.figures["uncounted"] == 1 and stray.problems


def test_with_hold_a_second_request_is_found(seeded: Seeded) -> None:
    seeded.broken(job(parameters={"on_unknown": "hold"}))
    assert seeded.told().problems == []
    again = seeded.told(paid={KEYS[0]: 2})
    assert again.figures["hold_repeated"] == 1 and again.problems


def test_with_hold_an_item_of_unknown_outcome_may_not_end_as_answered(seeded: Seeded) -> None:
    lost: Break = lambda c: c.execute(  # noqa: E731
        update(ledger).where(ledger.c.item_id == 1).values(state="unknown")
    )
    report = seeded.broken(job(parameters={"on_unknown": "hold"}), lost)
    assert report.figures["hold_silent"] == 1


def test_the_checker_cannot_write(seeded: Seeded) -> None:
    from sqlalchemy.exc import OperationalError

    from tests.service.checker import opened

    with opened(str(seeded.path)) as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(delete(items))


def test_only_the_named_jobs_are_judged(seeded: Seeded) -> None:
    seeded.broken(item(1, state="pending"))
    assert check(str(seeded.path), job_ids=["job_2"]).figures["items"] == 0
