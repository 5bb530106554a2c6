"""The Celery tasks: names and payloads are a public contract, so that any client may send them.

`pilotfish.answer_item(item_id)` and `pilotfish.index_document(item_id)`: the id of a row of
`items`, nothing else. Sent for an item that is done, taken or unknown they do nothing, so a
message may come twice. Not here: the work.
"""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Sequence
from typing import Any

from pilotfish.settings import Settings
from store import items
from workers.answering import Answering
from workers.bell import Bell, Kind
from workers.indexing import Indexing
from workers.process import Process
from workers.pulse import Pulse
from workers.queue import QUEUES, TASKS, RedisBell, make_app

log = logging.getLogger("pilotfish.worker")


def works(process: Process, bell: Bell, pulse: Pulse) -> dict[Kind, Any]:
    """What each kind of item is done by."""
    return {
        "answer": Answering(process, bell, pulse),
        "index": Indexing(process, bell, pulse),
    }


def register(app: Any, process: Process, bell: Bell, pulse: Pulse) -> None:
    """Give the app its tasks."""
    for kind, work in works(process, bell, pulse).items():
        app.task(name=TASKS[kind], shared=False)(_task(work))


def _task(work: Any) -> Any:
    def task(item_id: int) -> None:
        work(int(item_id))

    return task


def make_pulse(process: Process) -> Pulse:
    service = process.settings.service
    return Pulse(process.database, process.owner, service.lease, service.item_seconds)


def run_worker(settings: Settings, kinds: Sequence[Kind], threads: int) -> int:
    """A Celery worker in this process, until it is told to end; gives its exit status."""
    from celery.platforms import SecurityWarning

    warnings.simplefilter("ignore", SecurityWarning)  # root's rights: messages are JSON ids only
    app = make_app(settings)
    process = Process(settings)
    bell, pulse = RedisBell(settings, app), make_pulse(process)
    pulse.kinds = tuple(kinds)
    register(app, process, bell, pulse)
    pulse.start()
    process.warm()  # before it takes anything: an item's time is not for loading
    worker = app.Worker(
        pool="threads",
        concurrency=threads,
        queues=[QUEUES[kind] for kind in kinds],
        hostname=f"{'-'.join(kinds)}-{os.getpid()}@{socket.gethostname()}",
        loglevel=logging.WARNING,
        quiet=True,
    )
    try:
        worker.start()
    finally:
        pulse.stop.set()
        with process.database.write(lock=None, durable=False) as connection:
            items.let_go(connection, process.owner)
    return int(worker.exitcode or 0)
