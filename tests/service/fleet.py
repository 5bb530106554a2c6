"""The whole service as child processes of the real command line, to be killed at will.

    with Fleet(folder, workspace, latency=0.1) as fleet:
        fleet.up(workers=2, threads=8)
        job = fleet.submit(questions(300), recipe="plain")
        fleet.kill("worker 1")
        fleet.finished(job, 60)
        report = fleet.judged(kills=1, in_flight=8)

Leaving the block ends every process and removes what Postgres wrote. Jobs are submitted by the
store's own statement, as the API does it, and watched by reading the database. Not here: the
judgement (checker.py).
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, create_engine, event, func, select

from store import submissions
from store.schema import collections, items, jobs, ledger
from store.submissions import Submission
from tests.service.checker import TERMINAL, Report, check, opened
from tests.service.processes import Child, NotInTime, Watch, environment, python, until
from tests.service.servers import LLM, Postgres, Redis, free_port
from tests.warm import start as fork

MODEL = "openai/gpt-4o-mini"  # has a price, so that budgets in USD can be tested
LEASE = 3.0
PATIENCE = 3  # times the seconds that are waited at most: the machine may be busy
Question = tuple[str, dict[str, object]]


def questions(
    count: int, text: str = "Within how many days may goods be returned?"
) -> list[Question]:
    """So many that differ, so that each has a ledger key of its own."""
    return [(f"q{n}", {"question": f"Case {n}: {text}"}) for n in range(count)]


class Fleet:
    """Everything that runs. `workspace` exists already, unless `postgres`: then documents are to
    be added. `warm`: processes are forked from one that has imported the libraries; as they are
    started by people, they take seconds for that.
    """

    def __init__(
        self, folder: Path, workspace: Path, *, latency: float = 0.0, postgres: bool = False,
        warm: bool = False, **settings: object,
    ) -> None:  # fmt: skip
        self.folder, self.workspace, self.warm = folder, workspace, warm
        folder.mkdir(parents=True, exist_ok=True)
        self.watch = Watch()
        self.api_port = free_port()
        self.roles: dict[str, Child] = {}
        self._engine: Engine | None = None
        try:
            self.redis = Redis(self.watch, folder)
            self.llm = LLM(self.watch, folder, latency, warm=warm)
            self.postgres = Postgres(self.watch, folder) if postgres else None
        except BaseException:
            self.watch.close()
            raise
        self.settings: dict[str, object] = {
            "PILOTFISH_WORKSPACE": workspace, "PILOTFISH_SERVICE__REDIS": self.redis.url,
            "PILOTFISH_LLM__MODEL": MODEL, "PILOTFISH_LLM__API_BASE": self.llm.url,
            "PILOTFISH_LLM__TIMEOUT": 20, "OPENAI_API_KEY": "sk-test-not-a-real-key",
            "PILOTFISH_SERVICE__LEASE": LEASE, "PILOTFISH_SERVICE__PORT": self.api_port,
            "PILOTFISH_EXTRACT_ABOVE": 1.0, "PILOTFISH_THREADS": 1,
        }  # fmt: skip
        if self.postgres is not None:
            self.settings["PILOTFISH_DATABASE"] = self.postgres.url
        self.settings |= {f"PILOTFISH_{name.upper()}": value for name, value in settings.items()}

    @property
    def database(self) -> str:
        """What the checker opens."""
        return self.postgres.url if self.postgres else str(self.workspace / "pilotfish.db")

    def up(self, *, workers: int = 1, threads: int = 8, dispatchers: int = 1) -> None:
        """Start dispatchers and workers, each kept alive."""
        for number in range(1, dispatchers + 1):
            self.start(f"dispatcher {number}", "dispatcher")
        for number in range(1, workers + 1):
            self.start(f"worker {number}", "worker", "--queue", "answers", "--threads", threads)

    def start(self, name: str, *arguments: object, module: str = "pilotfish") -> Child:
        """One process of the command line, or of a module that ends up there too."""
        command = python("-m", module, *arguments)
        log = self.folder / f"{name}.log"
        child = Child(name, command, log, dict(self.settings), warm=self.warm)
        self.roles[name] = self.watch.add(child)
        return child

    def run(self, *arguments: object, timeout: float = 120) -> str:
        """A command to its end; what it printed."""
        begin = fork if self.warm else _cold
        pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
        command = ["-m", "pilotfish", *map(str, arguments)]
        child = begin(command, self.folder, environment(self.settings), **pipes)
        out, err = child.communicate(timeout=timeout)
        assert child.returncode == 0, f"{arguments}: {child.returncode}\n{err.decode()}"
        return out.decode()

    def kill(self, name: str) -> bool:
        """SIGKILL; the watch starts it again. Whether it was alive."""
        return self.watch.kill(self.roles[name])

    def alive(self, name: str) -> bool:
        return self.watch.alive(self.roles[name])

    def terminate(self, name: str) -> None:
        """SIGTERM: it finishes what it holds; the watch starts it again."""
        self.watch.terminate(self.roles[name])

    def signal(self, name: str, number: int) -> None:
        """Any other signal, such as SIGSTOP."""
        self.roles[name].send(number)

    def kill_all(self) -> None:
        """SIGKILL for every process of the service and Redis, and none comes back."""
        for child in [*self.roles.values(), self.redis.child]:
            child.keep = False
            self.watch.kill(child)

    def revive(self) -> None:
        """Let what `kill_all` ended be started again."""
        for child in [self.redis.child, *self.roles.values()]:
            child.keep = True
        self.redis.wait()

    def _connected(self) -> Engine:
        if self._engine is None:
            url = self.database
            if self.postgres:
                self._engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
            else:
                self._engine = create_engine(f"sqlite:///{url}", connect_args={"timeout": 60})
                event.listen(self._engine, "connect", _as_ours)
        return self._engine

    def submit(
        self, asked: Sequence[Question], *, recipe: str = "plain", budget_usd: float | None = None,
        **parameters: object,
    ) -> str:  # fmt: skip
        """Accept a job of the collection `default`; gives its id."""
        with self._connected().begin() as connection:
            collection = connection.scalar(select(collections.c.id).limit(1))
            assert collection is not None, "no collection: add documents first"
            given = Submission(collection, recipe, parameters, asked, budget_usd=budget_usd)
            return submissions.submit(connection, given)[0]

    def tell(self, statement: Any, job: str) -> Any:
        """One of the store's statements on a job: submissions.cancel, pause, items.retry ..."""
        with self._connected().begin() as connection:
            return statement(connection, job)

    def states(self, *job_ids: str) -> Counter[str]:
        """state -> how many items of these jobs, or of all."""
        query = select(items.c.state, func.count()).group_by(items.c.state)
        if job_ids:
            query = query.where(items.c.job_id.in_(job_ids))
        with opened(self.database) as connection:
            return Counter({row[0]: row[1] for row in connection.execute(query)})

    def done(self, *job_ids: str) -> int:
        """Items that have ended."""
        return sum(count for state, count in self.states(*job_ids).items() if state in TERMINAL)

    def job(self, job_id: str) -> Mapping[str, Any]:
        with opened(self.database) as connection:
            return dict(
                connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().one()
            )

    def items(self, job_id: str) -> list[Mapping[str, Any]]:
        query = select(items).where(items.c.job_id == job_id).order_by(items.c.ordinal)
        with opened(self.database) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def ledger(self) -> list[Mapping[str, Any]]:
        with opened(self.database) as connection:
            rows = connection.execute(select(ledger).order_by(ledger.c.id)).mappings()
            return [dict(row) for row in rows]

    def sent(self, *job_ids: str) -> dict[str, list[float]]:
        """ledger key -> when the LLM was asked for it, of these jobs."""
        times = self.llm.counts()["times"]
        keys = {row["key"] for row in self.ledger() if row["job_id"] in job_ids}
        return {key: times[key] for key in keys if key in times}

    def finished(self, job_id: str, seconds: float = 60) -> float:
        """Wait until the job has ended; how many seconds that took."""
        begun = time.monotonic()
        self.until(lambda: self.job(job_id)["state"] in submissions.ENDED, seconds, job_id)
        return time.monotonic() - begun

    def all_finished(self, job_ids: Iterable[str], seconds: float = 60) -> None:
        for job_id in job_ids:
            self.finished(job_id, seconds)

    def reached(self, count: int, seconds: float, *job_ids: str) -> None:
        """Wait until so many items have ended."""
        self.until(lambda: self.done(*job_ids) >= count, seconds, f"{count} items done")

    def until(self, condition: Callable[[], Any], seconds: float, what: str) -> Any:
        """Wait; what everybody said if it does not come."""
        try:
            return until(condition, seconds * PATIENCE, what, 0.1)
        except NotInTime as error:
            raise NotInTime(f"{error}; {dict(self.states())}; {self.said()}") from None

    def said(self, lines: int = 15) -> str:
        """The ends of all logs, for a failing test."""
        ends = {name: child.said().splitlines()[-lines:] for name, child in self.roles.items()}
        return "\n".join(f"--- {name}\n" + "\n".join(end) for name, end in ends.items())

    def judged(self, *, kills: int = 0, in_flight: int = 0, jobs: Iterable[str] = ()) -> Report:
        """The checker's report on everything, or on these jobs."""
        counts = self.llm.counts()
        return check(
            self.database, counts, kills=kills, in_flight=in_flight, job_ids=list(jobs)
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._engine is not None:
            self._engine.dispose()
        slow = self.watch.close(list(self.roles.values()))
        if self.postgres is not None:
            self.postgres.stop()
        assert not slow, f"did not end in time: {slow}\n{self.said()}"


def _as_ours(connection: Any, _: object) -> None:
    """SQLite looks after references only when told to."""
    connection.execute("PRAGMA foreign_keys=ON")


def _cold(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str], **streams: int
) -> subprocess.Popen[bytes]:
    """As warm.start, by the interpreter."""
    return subprocess.Popen(python(*arguments), cwd=cwd, env=dict(env), **streams)
