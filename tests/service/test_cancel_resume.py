"""Cancel, pause and resume: what was in flight ends, nothing new starts, nothing is repeated."""

from __future__ import annotations

import time

import pytest

from store import submissions
from tests.service.conftest import POSTGRES, Build
from tests.service.fleet import Fleet, questions

pytestmark = pytest.mark.slow
ITEMS, THREADS = 120, 8
ASKED = "within how many days may goods be returned?"


@pytest.fixture(scope="module", params=["sqlite", POSTGRES])
def fleet(request: pytest.FixtureRequest, fleets_of_module: Build) -> Fleet:
    """One fleet for all of these tests; each asks for something of its own."""
    made = fleets_of_module(postgres=request.param == "postgres")
    made.up(workers=1, threads=THREADS)
    return made


def test_cancel_stops_dispatch_within_two_seconds(fleet: Fleet) -> None:
    fleet.llm.plan(latency=0.2)
    job = fleet.submit(questions(ITEMS, f"cancelled, {ASKED}"))
    fleet.reached(24, 60, job)
    fleet.tell(submissions.cancel, job)
    told = fleet.llm.counts()["now"]
    time.sleep(2.5)
    times = [moment for each in fleet.sent(job).values() for moment in each]
    assert max(times) - told < 2, "a call was sent long after the job was cancelled"
    assert sum(moment > told for moment in times) <= THREADS
    states = fleet.states(job)
    assert set(states) <= {"answered", "cancelled"} and states["answered"] >= 24, states
    assert fleet.judged(jobs=[job]).problems == []


def test_paused_and_resumed_a_job_does_only_what_is_missing(fleet: Fleet) -> None:
    fleet.llm.plan(latency=0.1)
    job = fleet.submit(questions(ITEMS, f"paused, {ASKED}"))
    fleet.reached(24, 60, job)
    fleet.tell(lambda c, j: submissions.pause(c, j, "a person paused it"), job)
    fleet.until(lambda: not fleet.states(job)["leased"], 10, "what is in hand ends")
    rested = len(fleet.sent(job))
    time.sleep(1.5)
    assert len(fleet.sent(job)) == rested < ITEMS
    fleet.tell(submissions.resume, job)
    fleet.finished(job, 60)
    assert fleet.states(job) == {"answered": ITEMS}
    assert [len(times) for times in fleet.sent(job).values()] == [1] * ITEMS
    assert fleet.judged(jobs=[job]).problems == []


def test_after_everything_was_stopped_nothing_finished_is_repeated(fleet: Fleet) -> None:
    fleet.llm.plan(latency=0.1)
    job = fleet.submit(questions(ITEMS, f"stopped, {ASKED}"))
    fleet.reached(40, 60, job)
    fleet.kill_all()
    finished = [row["id"] for row in fleet.items(job) if row["state"] == "answered"]
    keys = {row["key"] for row in fleet.ledger() if row["item_id"] in finished}
    assert len(keys) == len(finished) >= 40
    fleet.revive()
    fleet.finished(job, 60)
    sent = fleet.sent(job)
    assert all(len(sent[key]) == 1 for key in keys), "a finished item was asked again"
    report = fleet.judged(kills=1, in_flight=THREADS, jobs=[job])
    assert report.problems == [] and report.figures["items_answered"] == ITEMS


def test_a_worker_told_to_end_finishes_what_it_holds_and_repeats_nothing(fleet: Fleet) -> None:
    fleet.llm.plan(latency=0.5)
    job = fleet.submit(questions(32, f"told, {ASKED}"))
    fleet.reached(8, 60, job)
    fleet.terminate("worker 1")
    fleet.finished(job, 60)
    report = fleet.judged(jobs=[job])
    assert report.problems == [] and report.figures["items_answered"] == 32
    assert fleet.roles["worker 1"].ends[-1:] == [0], fleet.said()
    assert max(row["attempts"] for row in fleet.items(job)) == 1, "a clean end burnt attempts"


def test_a_message_for_an_item_that_is_done_or_unknown_does_nothing(fleet: Fleet) -> None:
    from celery import Celery

    fleet.llm.plan(latency=0.0)
    job = fleet.submit(questions(4, f"rung for again, {ASKED}"))
    fleet.finished(job, 60)
    before = fleet.llm.counts()["requests"]
    app = Celery(broker=fleet.redis.url)
    app.conf.broker_transport_options = {"global_keyprefix": "pilotfish:"}
    with app:
        for item_id in [row["id"] for row in fleet.items(job)] * 3 + [999_999]:
            app.send_task("pilotfish.answer_item", args=[item_id], queue="answers")
    second = fleet.submit(questions(2, "What does express delivery cost?"))
    fleet.finished(second, 30)
    assert fleet.llm.counts()["requests"] == before + 2
    assert fleet.judged(jobs=[job, second]).problems == []
