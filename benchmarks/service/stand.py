"""Where the service is measured: a fleet on a copy of the SciFact collection, its CPU, its API.

The processes and the LLM server are those of tests/service. Not here: any measuring.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.ground import Ground
from tests.service.fleet import Fleet, Question
from tests.service.processes import until

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def fleet(ground: Ground, *, postgres: bool = False, **settings: Any) -> Iterator[Fleet]:
    """A fleet over its own copy of SciFact; on Postgres the documents are added anew."""
    ground.collection("scifact")
    with tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as folder:
        root, place = Path(folder), Path(folder) / "workspace"
        if not postgres:
            shutil.copytree(ground.place("scifact"), place)
        with Fleet(root / "fleet", place, postgres=postgres, **settings) as running:
            if postgres:
                file = ground.corpus_file("scifact", 0 if ground.quick else 500)
                running.run("add", file, timeout=900)
            yield running


def asked(ground: Ground, count: int) -> list[Question]:
    """So many different questions: SciFact's claims, then claims with a number before them."""
    rows = data.lines(ground.data / "retrieval" / "scifact" / "queries.jsonl.gz")
    claims = [str(row["text"]) for row in rows]
    made: list[Question] = []
    for number in range(count):
        turn, text = number // len(claims), claims[number % len(claims)]
        shown = text if not turn else f"Claim {turn}: {text}"
        made.append((f"q{number}", {"question": shown}))
    return made


def warmed(running: Fleet, threads: int) -> None:
    """Every thread of every worker has answered before anything is timed."""
    text = "Does the warm-up precede the measurement?"
    warm: list[Question] = [(f"w{n}", {"question": f"{n}: {text}"}) for n in range(threads * 2)]
    running.finished(running.submit(warm), 300)
    running.llm.reset()


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process and its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


def pids(running: Fleet, prefix: str = "") -> dict[str, int]:
    """name -> process id of the roles whose names begin so."""
    found = {name: child.process for name, child in running.roles.items()}
    return {n: p.pid for n, p in found.items() if p is not None and n.startswith(prefix)}


def cpu_of(running: Fleet) -> dict[str, float]:
    """CPU seconds so far: each role, the LLM server, this process (the load generator)."""
    used = {name: cpu_seconds(pid) for name, pid in pids(running).items()}
    own = os.times()
    return used | {"llm": running.llm.counts()["cpu_seconds"], "load": own.user + own.system}


def between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: round(after[name] - before[name], 2) for name in before if name in after}


class Api:
    """One kept connection to the service's HTTP interface."""

    def __init__(self, running: Fleet) -> None:
        if "api" not in running.roles:
            running.start("api", "serve")
        self._port = running.api_port
        self._open()
        until(self._ready, 60, f"the API answers\n{running.said()}", 0.2)

    def _open(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)

    def _ready(self) -> bool:
        try:
            return self.call("GET", "/livez")[0] == 200
        except (OSError, http.client.HTTPException):
            self._open()
            return False

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """(status, decoded body)."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, path, content, {"Content-Type": "application/json"})
        reply = self._connection.getresponse()
        raw = reply.read()
        return reply.status, json.loads(raw) if raw[:1] in b"{[" and raw else None

    def made(self, method: str, path: str, body: object) -> Any:
        """The decoded body of a call that must succeed."""
        status, found = self.call(method, path, body)
        assert status < 300, f"{method} {path}: {status} {found}"
        return found
