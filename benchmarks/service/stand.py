"""Where the service is measured: a fleet on a copy of the SciFact collection, its CPU, its jobs.

The processes and the LLM server are those of tests/service. Not here: any measuring, the HTTP
client (calls.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks import data, machine
from benchmarks.ground import Ground
from pilotfish.settings import ServiceSettings
from store.schema import items
from store.submissions import ENDED
from tests.service.checker import opened
from tests.service.fleet import Fleet, Question
from tests.service.processes import POSTGRES, until

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
LOOK_SECONDS = 0.5  # between two looks at a job; when it ended is read from its rows
LIBRARIES = (
    "pilotfish", "celery", "kombu", "redis", "fastapi", "uvicorn", "sqlalchemy", "psycopg",
    "litellm", "onnxruntime", "tantivy", "faiss-cpu", "numpy",
)  # fmt: skip
COLD = "PILOTFISH_TEST_COLD"  # the fleet's children are started by the interpreter, as in use


def versions() -> dict[str, str]:
    """Python's, the libraries' and the servers' versions."""
    postgres = sorted(Path(POSTGRES).glob("*/bin/postgres"))
    servers = {"redis-server": "redis-server", "postgres": str(postgres[-1]) if postgres else ""}
    told = {name: _told(program) for name, program in servers.items()}
    return machine.versions(LIBRARIES) | told


def _told(program: str) -> str:
    """The version in what `program --version` prints."""
    if not program or shutil.which(program) is None:
        return "not installed"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    words = [word.removeprefix("v=") for word in said.split()]
    return next((word for word in words if word[:1].isdigit()), "unknown")


@contextmanager
def copied(ground: Ground) -> Iterator[Path]:
    """A workspace of its own with the SciFact collection in it."""
    ground.collection("scifact").database.close()
    with tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as folder:
        yield Path(shutil.copytree(ground.place("scifact"), Path(folder) / "workspace"))


@contextmanager
def fleet(ground: Ground, *, postgres: bool = False, **settings: Any) -> Iterator[Fleet]:
    """A fleet over its own copy of SciFact; on Postgres some of the documents are added anew.

    Leases are as they ship: a short one could run out on a machine that is busy.
    """
    os.environ[COLD] = "1"
    settings.setdefault("service__lease", ServiceSettings().lease)
    with copied(ground) as place, tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as folder:
        if postgres:
            place = Path(folder) / "workspace"
        with Fleet(Path(folder) / "fleet", place, postgres=postgres, **settings) as running:
            if postgres:
                file = ground.corpus_file("scifact", 0 if ground.quick else 300)
                running.run("add", file, timeout=900)
            yield running


def asked(ground: Ground, count: int) -> list[Question]:
    """So many different questions: SciFact's claims, then claims with a number before them."""
    rows = data.lines(ground.data / "retrieval" / "scifact" / "queries.jsonl.gz")
    claims = list(dict.fromkeys(str(row["text"]) for row in rows))  # equal ones would be replays
    made: list[Question] = []
    for number in range(count):
        turn, text = number // len(claims), claims[number % len(claims)]
        shown = text if not turn else f"Claim {turn}: {text}"
        made.append((f"q{number}", {"question": shown}))
    return made


def texts(ground: Ground, count: int) -> list[str]:
    return [str(fields["question"]) for _, fields in asked(ground, count)]


def warmed(running: Fleet, threads: int, recipe: str = "plain") -> None:
    """Every thread of every worker has answered before anything is timed."""
    text = "Does the warm-up precede the measurement?"
    warm: list[Question] = [(f"w{n}", {"question": f"{n}: {text}"}) for n in range(threads * 2)]
    running.finished(running.submit(warm, recipe=recipe), seconds=300)
    running.llm.reset()


def ended(running: Fleet, job: str, begun: float, limit: float) -> float:
    """Seconds from `begun` (time.time()) to the end of the job's last item; waits for that."""
    try:
        until(lambda: running.job(job)["state"] in ENDED, limit, f"{job} ends", LOOK_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}; {dict(running.states(job))}; {running.said()}") from None
    with opened(running.database) as connection:
        last = connection.scalar(select(func.max(items.c.finished)).where(items.c.job_id == job))
    return float(last or time.time()) - begun


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
    """CPU seconds so far: each role, Redis, the LLM server, this process (the load generator)."""
    used = {name: cpu_seconds(pid) for name, pid in pids(running).items()}
    if running.redis.child.process is not None:
        used["redis"] = cpu_seconds(running.redis.child.process.pid)
    own = os.times()
    return used | {"llm": running.llm.counts()["cpu_seconds"], "load": own.user + own.system}


def between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: round(after[name] - before[name], 2) for name in before if name in after}
