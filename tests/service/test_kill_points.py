"""Named points of the code at which a process dies, swept one by one: each is survived.

One job runs through all of them. Each start of the worker (or dispatcher) arms the next point,
works until it meets it, dies there, and is started again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.conftest import Build
from tests.service.fleet import Fleet, questions
from tests.service.processes import python, until

pytestmark = pytest.mark.slow
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


def swept(fleet: Fleet, name: str, points: tuple[str, ...], *arguments: object) -> str:
    """Run the process through all points under one job; gives the job."""
    file = fleet.folder / f"{name}.points"
    file.write_text("".join(f"{point}\n" for point in points))
    fleet.start(name, *arguments, script=SCRIPT, before=(file,))
    job = fleet.submit(questions(60 * len(points)), budget_usd=50.0)
    child = fleet.roles[name]
    until(lambda: not file.read_text() and len(child.ends) >= len(points), 600, "all points", 0.5)
    return job


def test_a_worker_may_die_at_any_named_point(fleets: Build) -> None:
    fleet = fleets(latency=0.05)
    fleet.up(workers=0)
    arguments = ("worker", "--queue", "answers", "--threads", THREADS)
    job = swept(fleet, "worker 1", WORKER, *arguments)
    fleet.finished(job, 120)
    worker = fleet.roles["worker 1"]
    assert worker.ends[: len(WORKER)] == [-9] * len(WORKER), (worker.ends, fleet.said())
    report = fleet.judged(kills=len(WORKER), in_flight=THREADS)
    assert report.problems == [], (report, fleet.said())
    assert report.figures["items_answered"] == report.figures["items"]


def test_a_dispatcher_may_die_at_any_named_point(fleets: Build) -> None:
    fleet = fleets(latency=0.05)
    fleet.up(workers=1, threads=THREADS, dispatchers=0)
    job = swept(fleet, "dispatcher 1", DISPATCHER, "dispatcher")
    fleet.finished(job, 120)
    dispatcher = fleet.roles["dispatcher 1"]
    assert dispatcher.ends[: len(DISPATCHER)] == [-9] * len(DISPATCHER), fleet.said()
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
