"""`hold`: what may have been paid is never sent again by itself; a person decides."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from store import items, submissions
from tests.service.conftest import POSTGRES, Build
from tests.service.faults import Storm
from tests.service.fleet import Fleet, questions

pytestmark = pytest.mark.slow
ITEMS, THREADS = 48, 8
Held = tuple[Fleet, str]


@pytest.fixture(scope="module", params=["sqlite", POSTGRES])
def held(request: pytest.FixtureRequest, fleets_of_module: Build) -> Held:
    """A job that holds, through which the worker was killed twice with calls in flight."""
    fleet = fleets_of_module(postgres=request.param == "postgres", latency=0.5)
    fleet.up(workers=1, threads=THREADS)
    job = fleet.submit(questions(ITEMS), on_unknown="hold", budget_usd=5.0)
    storm = Storm(fleet, job, ITEMS)
    storm.run(["workers", "workers"], 120)
    assert storm.worker_kills == 2
    return fleet, job


def test_with_hold_no_call_is_repeated_and_what_is_unknown_is_shown(held: Held) -> None:
    fleet, job = held
    report = fleet.judged(kills=2, in_flight=THREADS)
    assert report.problems == [], (report, fleet.said())
    assert report.figures["repeated"] == 0
    unknown = report.figures.get("items_unknown", 0)
    assert 0 < unknown <= 2 * THREADS, report
    assert unknown + report.figures["items_answered"] == ITEMS
    assert fleet.job(job)["state"] == "completed_with_errors"
    codes = {row["error"]["code"] for row in fleet.items(job) if row["state"] == "unknown"}
    assert codes == {"unknown_outcome"}


def test_retrying_an_unknown_item_is_the_decision_to_send_it_again(held: Held) -> None:
    fleet, job = held
    unknown = fleet.states(job)["unknown"]
    fleet.tell(again, job)
    fleet.finished(job, 60)
    assert fleet.states(job) == {"answered": ITEMS}, fleet.said()
    report = fleet.judged(kills=2, in_flight=THREADS)
    assert 0 < report.figures["repeated"] <= unknown


def again(connection: Connection, job: str) -> None:
    """What `retry` of a job does."""
    items.retry(connection, job, ["unknown"])
    submissions.reopen(connection, job)
