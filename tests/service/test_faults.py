"""Kills of workers, of Redis with its data, of dispatcher, API and database: nothing is lost.

Short seeds; the full run is `python -m benchmarks.service --only faults`.
"""

from __future__ import annotations

import fcntl
import signal
import time
import urllib.request
from pathlib import Path

import pytest

from tests.service.conftest import Build
from tests.service.faults import Schedule, Storm
from tests.service.fleet import Fleet, questions

pytestmark = pytest.mark.slow
ITEMS, THREADS, SEED = 240, 8, 5
SHORT = Schedule(workers=3, redis=2, dispatchers=1, api=1)
WITH_DATABASE = Schedule(workers=2, redis=1, dispatchers=1, postgres=1, everything=1)
RECOVERY_SECONDS = 30


def answers(fleet: Fleet) -> bool:
    """Whether the HTTP interface is there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{fleet.api_port}/livez", timeout=5) as live:
            return bool(live.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_storm_of_kills_loses_and_doubles_nothing(fleets: Build, database: str) -> None:
    fleet = fleets(postgres=database == "postgres", latency=0.1)
    fleet.up(workers=2, threads=THREADS, dispatchers=2)
    fleet.start("api", "serve")
    fleet.until(lambda: answers(fleet), 60, "the API answers")
    job = fleet.submit(questions(ITEMS), budget_usd=5.0)
    storm = Storm(fleet, job, ITEMS)
    storm.run((WITH_DATABASE if fleet.postgres else SHORT).drawn(SEED), 120)
    report = fleet.judged(kills=storm.worker_kills, in_flight=THREADS)
    assert report.problems == [], (report, fleet.said())
    assert storm.worker_kills >= 2, "too few kills met a living worker"
    assert report.figures["items_answered"] == ITEMS, (report, fleet.said())
    assert storm.slowest < RECOVERY_SECONDS, storm.felt
    fleet.until(lambda: answers(fleet), 30, "the API answers again")


@pytest.mark.long
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


def test_what_a_frozen_worker_held_is_done_by_others_and_its_late_words_count_for_nothing(
    fleets: Build,
) -> None:
    fleet = fleets(latency=0.3)
    fleet.up(workers=2, threads=THREADS)
    job = fleet.submit(questions(48))
    fleet.reached(16, 60, job)
    freeze(fleet, "worker 1", job)
    try:
        fleet.finished(job, 30)
        before = [(row["id"], row["state"], row["fence"]) for row in fleet.items(job)]
    finally:
        fleet.signal("worker 1", signal.SIGCONT)
    time.sleep(1)
    assert [(row["id"], row["state"], row["fence"]) for row in fleet.items(job)] == before
    assert max(fence for _, _, fence in before) == 2, "nobody took what the frozen one held"
    figures = fleet.judged(jobs=[job]).figures
    assert figures["items_answered"] == 48
    assert not figures["lost"] and not figures["doubled"] and not figures["others_result"]


def freeze(fleet: Fleet, name: str, job: str) -> None:
    """Stop the worker while it holds items of the job, though not the database's one pen."""
    process = fleet.roles[name].process
    assert process is not None
    for _ in range(100):
        fleet.signal(name, signal.SIGSTOP)
        held = [row for row in fleet.items(job) if row["state"] == "leased"]
        if any(f":{process.pid}:" in row["owner"] for row in held) and writable(fleet.workspace):
            return
        fleet.signal(name, signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError(f"never with items in hand: {fleet.said()}")


def writable(workspace: Path) -> bool:
    """Whether nobody holds the right to write for as long as a write takes."""
    with (workspace / "pilotfish.write.lock").open("a") as pen:
        until_then = time.monotonic() + 1
        while time.monotonic() < until_then:
            try:
                fcntl.flock(pen, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.01)
            else:
                return True
    return False


def test_stopping_leaves_no_process_and_no_file_behind(fleets: Build) -> None:
    fleet = fleets(postgres=True)
    fleet.up(workers=1)
    fleet.finished(fleet.submit(questions(2)), 60)
    children = [child.process for child in fleet.watch.children if child.process]
    assert fleet.postgres is not None and fleet.postgres.folder.exists()
    fleet.__exit__(None, None, None)
    assert len(children) == 5 and all(child.poll() is not None for child in children)
    assert not fleet.postgres.folder.exists()
