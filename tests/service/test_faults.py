"""Kills of workers, of Redis with its data, and of the dispatcher: nothing lost, nothing doubled.

A short seed; the full run is `python -m benchmarks.service --only faults`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.conftest import Build
from tests.service.faults import Schedule, Storm
from tests.service.fleet import questions

pytestmark = [pytest.mark.slow, pytest.mark.long]
ITEMS, THREADS, SEED = 300, 8, 5
SHORT = Schedule(workers=4, redis=2, dispatchers=1)


def test_a_storm_of_kills_loses_and_doubles_nothing(fleets: Build, on_both: bool) -> None:
    fleet = fleets(postgres=on_both, latency=0.1)
    fleet.up(workers=2, threads=THREADS, dispatchers=2)
    job = fleet.submit(questions(ITEMS), budget_usd=5.0)
    storm = Storm(fleet, job, ITEMS)
    storm.run(SHORT.drawn(SEED), 120)
    report = fleet.judged(kills=storm.worker_kills, in_flight=THREADS)
    assert report.problems == [], (report, fleet.said())
    assert storm.worker_kills >= 3, "too few kills met a living worker"
    assert report.figures["items_answered"] == ITEMS, (report, fleet.said())
    assert storm.slowest < 30, storm.felt


def test_everything_killed_at_once_goes_on_where_it_was(fleets: Build, on_both: bool) -> None:
    fleet = fleets(postgres=on_both, latency=0.1)
    fleet.up(workers=2, threads=THREADS)
    job = fleet.submit(questions(120))
    schedule = Schedule(everything=1, postgres=int(on_both))
    storm = Storm(fleet, job, 120)
    storm.run(schedule.drawn(SEED), 120)
    report = fleet.judged(kills=storm.worker_kills, in_flight=THREADS)
    assert report.problems == [], (report, fleet.said())
    assert report.figures["items_answered"] == 120


def test_a_message_for_an_item_that_is_done_or_unknown_does_nothing(fleets: Build) -> None:
    from celery import Celery

    fleet = fleets()
    fleet.up(workers=1)
    job = fleet.submit(questions(4))
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
    assert fleet.judged().problems == []


def test_stopping_leaves_no_process_and_no_file_behind(fleets: Build, tmp_path: Path) -> None:
    fleet = fleets(postgres=True)
    fleet.up(workers=1)
    fleet.finished(fleet.submit(questions(2)), 60)
    children = [child.process for child in fleet.watch.children if child.process]
    assert fleet.postgres is not None and fleet.postgres.folder.exists()
    fleet.__exit__(None, None, None)
    assert len(children) == 5 and all(child.poll() is not None for child in children)
    assert not fleet.postgres.folder.exists()
