"""Named points of the code at which a process dies, swept one by one: each is survived.

One job runs through all of them. Each start of the worker (or dispatcher) arms the next point,
works until it meets it, dies there, and is started again.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from store import items, submissions
from tests.service.conftest import Build
from tests.service.fleet import Fleet, questions
from tests.service.processes import python, until

pytestmark = [pytest.mark.slow, pytest.mark.long]
SCRIPT = Path(__file__).with_name("killpoints.py")
THREADS = 4

WORKER = (
    "workers.answering:Answering.__call__:before:3",
    "store.items:take:before:3",
    "store.items:take:after:3",
    "workers.answering:Answering._purse:before:2",
    "pipeline.llm_ledger:Desk.replay:after:3",
    "store.ledger:reserve:before:3",
    "store.ledger:reserve:after:3",
    "store.ledger:mark_sent:before:2",
    "store.ledger:mark_sent:after:2",
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
    "store.items:bury:after:3",
    "store.items:due:after:2",
    "store.items:rung:after:2",
    "workers.queue:RedisBell.ring:before:2",
    "workers.queue:RedisBell.ring:after:2",
    "store.submissions:close_finished:after:3",
)


def swept(fleet: Fleet, names: list[str], points: tuple[str, ...], *arguments: object) -> str:
    """Run the processes through all points under one job, to its end; gives the job.

    An item that was at hand at three of so many deaths is dead: then it is asked for again.
    """
    file = fleet.folder / "points"
    file.write_text("".join(f"{point}\n" for point in points))
    for name in names:
        fleet.start(name, *arguments, script=SCRIPT, before=(file,))
    job = fleet.submit(questions(60 * len(points)), budget_usd=50.0)
    until(lambda: died(fleet, names) >= len(points), 580, "all points were met", 0.5)
    fleet.finished(job, 200)
    if fleet.states(job)["dead"]:
        fleet.tell(again, job)
        fleet.finished(job, 60)
    return job


def again(connection: Connection, job: str) -> None:
    """What `retry` of a job does."""
    items.retry(connection, job)
    submissions.reopen(connection, job)


def died(fleet: Fleet, names: list[str]) -> int:
    """How often one of the processes was killed."""
    return sum(status == -9 for name in names for status in fleet.roles[name].ends)


def test_a_worker_may_die_at_any_named_point(fleets: Build) -> None:
    fleet = fleets(latency=0.05)
    fleet.up(workers=0)
    arguments = ("worker", "--queue", "answers", "--threads", THREADS)
    swept(fleet, ["worker 1", "worker 2"], WORKER, *arguments)
    report = fleet.judged(kills=len(WORKER), in_flight=THREADS)
    assert report.problems == [], (report, fleet.said())
    assert report.figures["items_answered"] == report.figures["items"]


def test_a_dispatcher_may_die_at_any_named_point(fleets: Build) -> None:
    fleet = fleets(latency=0.05)
    fleet.up(workers=1, threads=THREADS, dispatchers=0)
    swept(fleet, ["dispatcher 1"], DISPATCHER, "dispatcher")
    report = fleet.judged()
    assert report.problems == [], (report, fleet.said())
    assert report.figures["items_answered"] == report.figures["items"]


def test_there_are_at_least_twenty_points_and_each_exists(tmp_path: Path) -> None:
    import subprocess

    assert len(set(WORKER + DISPATCHER)) >= 20
    code = "import sys; sys.path.insert(0, sys.argv[1]); import killpoints; from pilotfish.engine "
    code += "import attach; attach(); [killpoints.arm(point) for point in sys.argv[2:]]"
    command = [*python("-c", code, SCRIPT.parent), *WORKER, *DISPATCHER]
    subprocess.run(command, check=True, cwd=tmp_path)
