"""Cancel, pause and resume: what was in flight ends, nothing new starts, nothing is repeated."""

from __future__ import annotations

import time

import pytest

from store import submissions
from tests.service.conftest import Build
from tests.service.fleet import questions

pytestmark = [pytest.mark.slow, pytest.mark.long]
ITEMS, THREADS = 200, 8


def test_cancel_stops_dispatch_within_two_seconds(fleets: Build, on_both: bool) -> None:
    fleet = fleets(postgres=on_both, latency=0.2)
    fleet.up(workers=1, threads=THREADS)
    job = fleet.submit(questions(ITEMS))
    fleet.reached(40, 60, job)
    fleet.tell(submissions.cancel, job)
    told = fleet.llm.counts()["now"]
    time.sleep(3)
    times = [moment for each in fleet.llm.counts()["times"].values() for moment in each]
    assert max(times) - told < 2, "a call was sent long after the job was cancelled"
    assert sum(moment > told for moment in times) <= THREADS
    states = fleet.states(job)
    assert set(states) <= {"answered", "cancelled"} and states["answered"] >= 40, states
    assert fleet.judged().problems == []


def test_paused_and_resumed_a_job_does_only_what_is_missing(fleets: Build) -> None:
    fleet = fleets(latency=0.1)
    fleet.up(workers=1, threads=THREADS)
    job = fleet.submit(questions(ITEMS))
    fleet.reached(40, 60, job)
    fleet.tell(lambda c, j: submissions.pause(c, j, "a person paused it"), job)
    time.sleep(2)
    rested = fleet.llm.counts()["requests"]
    time.sleep(2)
    assert fleet.llm.counts()["requests"] == rested < ITEMS
    fleet.tell(submissions.resume, job)
    fleet.finished(job, 60)
    assert fleet.states(job) == {"answered": ITEMS}
    assert fleet.llm.counts()["requests"] == ITEMS
    assert fleet.judged().problems == []


def test_after_everything_was_stopped_nothing_finished_is_repeated(
    fleets: Build, on_both: bool
) -> None:
    fleet = fleets(postgres=on_both, latency=0.1)
    fleet.up(workers=2, threads=THREADS)
    job = fleet.submit(questions(ITEMS))
    fleet.reached(60, 60, job)
    fleet.kill_all()
    finished = [row["id"] for row in fleet.items(job) if row["state"] == "answered"]
    keys = {row["key"] for row in fleet.ledger() if row["item_id"] in finished}
    assert len(keys) == len(finished) >= 60
    fleet.revive()
    fleet.finished(job, 60)
    asked = fleet.llm.counts()["per_key"]
    assert all(asked[key] == 1 for key in keys), "a finished item was asked again"
    report = fleet.judged(kills=2, in_flight=THREADS)
    assert report.problems == [] and report.figures["items_answered"] == ITEMS


def test_a_worker_told_to_end_finishes_what_it_holds_and_repeats_nothing(fleets: Build) -> None:
    fleet = fleets(latency=0.5)
    fleet.up(workers=1, threads=THREADS)
    job = fleet.submit(questions(40))
    fleet.reached(8, 60, job)
    worker = fleet.roles["worker 1"]
    assert worker.process is not None
    worker.process.terminate()
    fleet.finished(job, 60)
    report = fleet.judged()
    assert report.problems == [] and report.figures["items_answered"] == 40
    assert worker.ends == [0], (worker.ends, fleet.said())
    assert max(row["attempts"] for row in fleet.items(job)) == 1, "a clean end burnt attempts"
