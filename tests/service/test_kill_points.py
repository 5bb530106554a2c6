"""Named points of the code at which a process dies, swept one by one: each is survived.

Each start of a worker or dispatcher arms the next point, works until it meets it, dies there,
and is started again. Jobs come one after another until all points were met.
"""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Connection

from store import items, submissions
from tests.service.conftest import POSTGRES, Build
from tests.service.fleet import Fleet, questions

pytestmark = pytest.mark.slow
ARMED = "tests.service.killpoints"
WORKERS, THREADS, ITEMS = 3, 4, 24
SWEEP_SECONDS = 300

WORKER = (
    "workers.answering:Answering.__call__:before:3",
    "store.items:take:before:3",
    "store.items:take:after:3",
    "workers.answering:Answering._purse:before:2",
    "pipeline.llm_ledger:Desk.replay:after:3",
    "store.ledger:reserve:before:3",
    "store.ledger:reserve:after:3",
    "store.budgets:hold:before:2",
    "store.budgets:hold:after:2",
    "pipeline.llm_ledger:Desk.claim:after:3",
    "pipeline.llm:LLM._send:before:3",
    "pipeline.llm:LLM._send:after:3",
    "store.ledger:mark_done:before:3",
    "store.ledger:mark_done:after:3",
    "store.budgets:settle:after:3",
    "pipeline.llm_ledger:Desk.store:after:3",
    "workers.answering:Answering._finish:before:3",
    "store.ledger:spent:after:3",
    "store.items:finish:before:3",
    "store.items:finish:after:3",
    "workers.answering:Answering._finish:after:3",
    "workers.queue:RedisBell.tell:before:3",
    "store.items:beat:after:1",
)
DISPATCHER = (
    "store.leases:hold:after:2",
    "store.items:bury:after:1",
    "store.ringing:due:after:2",
    "store.ringing:rung:after:2",
    "workers.queue:RedisBell.ring:before:2",
    "workers.queue:RedisBell.ring:after:2",
    "store.submissions:close_finished:after:1",
)


@pytest.mark.parametrize("database", ["sqlite", POSTGRES])
def test_a_worker_and_a_dispatcher_may_die_at_any_named_point(fleets: Build, database: str) -> None:
    fleet = fleets(postgres=database == "postgres", latency=0.05)
    armed(fleet, DISPATCHER, ["dispatcher 1"], "dispatcher")
    workers = [f"worker {n}" for n in range(1, WORKERS + 1)]
    armed(fleet, WORKER, workers, "worker", "--queue", "answers", "--threads", THREADS)
    jobs = swept(fleet, len(WORKER) + len(DISPATCHER))
    for job in jobs:
        fleet.finished(job, 60)
        if fleet.states(job)["dead"]:  # in hand at three of so many deaths
            fleet.tell(again, job)
            fleet.finished(job, 60)
    assert deaths(fleet, workers) == len(WORKER), fleet.said()
    report = fleet.judged(kills=len(WORKER), in_flight=THREADS)
    assert report.problems == [], (report, fleet.said())
    assert report.figures["items_answered"] == report.figures["items"]


def armed(fleet: Fleet, points: tuple[str, ...], names: list[str], *arguments: object) -> None:
    """Start processes that take a point each whenever they start, as long as there are any."""
    file = fleet.folder / f"points of {names[0]}"
    file.write_text("".join(f"{point}\n" for point in points))
    for name in names:
        fleet.start(name, file, *arguments, module=ARMED)


def swept(fleet: Fleet, points: int) -> list[str]:
    """Give them work until they have met all points; the jobs."""
    jobs: list[str] = []
    end = time.monotonic() + SWEEP_SECONDS
    while deaths(fleet, list(fleet.roles)) < points:
        assert time.monotonic() < end, f"points that nobody met: {fleet.said()}"
        if not jobs or fleet.done(jobs[-1]) >= ITEMS // 2:
            text = f"Round {len(jobs)}, within how many days may goods be returned?"
            jobs.append(fleet.submit(questions(ITEMS, text), budget_usd=5.0))
        time.sleep(0.1)
    return jobs


def deaths(fleet: Fleet, names: list[str]) -> int:
    """How often one of the processes was killed."""
    return sum(status == -9 for name in names for status in fleet.roles[name].ends)


def again(connection: Connection, job: str) -> None:
    """What `retry` of a job does."""
    items.retry(connection, job)
    submissions.reopen(connection, job)


def test_there_are_at_least_twenty_points() -> None:
    assert len(set(WORKER + DISPATCHER)) >= 20
