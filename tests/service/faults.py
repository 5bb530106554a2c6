"""A storm of SIGKILLs over a running job, drawn from a seed, and how long each was felt.

A kill comes when the job has reached a share of its items, so that it hits work whatever the
machine's speed. A kill is over when every item that was in somebody's hands, or rung for, at that
moment has ended. Kills overlap, so recovery is counted from the last one before that. Not here:
the processes (fleet.py), the judgement (checker.py).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import and_, func, or_, select
from sqlalchemy.exc import OperationalError

from store.schema import items
from tests.service.checker import TERMINAL, opened
from tests.service.fleet import Fleet

BETWEEN = 0.3  # seconds between two kills at least


@dataclass(frozen=True, slots=True)
class Schedule:
    """How many of each to kill."""

    workers: int = 0
    redis: int = 0
    dispatchers: int = 0
    api: int = 0
    postgres: int = 0
    everything: int = 0

    def drawn(self, seed: int) -> list[str]:
        """The kills in an order of the seed's."""
        kinds = {name: getattr(self, name) for name in self.__slots__}
        order = [name for name, count in kinds.items() for _ in range(count)]
        random.Random(seed).shuffle(order)
        return order


@dataclass(slots=True)
class Felt:
    """One kill, the items that it touched, and how long after the last kill they had ended."""

    kind: str
    at: float
    touched: set[int]
    seconds: float | None = None


@dataclass(slots=True)
class Storm:
    """Runs a schedule over `fleet` while `job` of `total` items runs."""

    fleet: Fleet
    job: str
    total: int
    worker_kills: int = 0
    felt: list[Felt] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, order: Sequence[str], seconds: float) -> None:
        """Spread the kills over the job's progress and wait for its end."""
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()
        try:
            for number, kind in enumerate(order, 1):
                self.fleet.reached(self.total * number // (len(order) + 2), seconds, self.job)
                self._strike(kind, number)
                time.sleep(BETWEEN)
            self.fleet.finished(self.job, seconds)
        finally:
            self._settle()
            self._stop.set()
            watch.join()

    def _strike(self, kind: str, number: int) -> None:
        self.felt.append(Felt(kind, time.monotonic(), self._touched()))
        if kind == "redis":
            self.fleet.redis.wipe()
        elif kind == "postgres" and self.fleet.postgres:
            self.fleet.postgres.crash()
        elif kind == "everything":
            alive = [self.fleet.alive(name) for name in self._named("worker")]
            self.worker_kills += sum(alive)
            self.fleet.kill_all()
            self.fleet.revive()
        else:
            names = self._named({"workers": "worker", "dispatchers": "dispatcher"}.get(kind, kind))
            killed = self.fleet.kill(names[number % len(names)])
            self.worker_kills += killed and kind == "workers"

    def _named(self, prefix: str) -> list[str]:
        return [name for name in self.fleet.roles if name.startswith(prefix)]

    def _touched(self) -> set[int]:
        """Items of the job that somebody holds, or that a worker was rung for."""
        held = or_(items.c.state == "leased", and_(items.c.state == "pending", items.c.rung > 0))
        query = select(items.c.id).where(items.c.job_id == self.job, held)
        with opened(self.fleet.database) as connection:
            return set(connection.scalars(query))

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            self._settle()

    def _settle(self) -> None:
        """Note which kills are over. The database may be away for a moment."""
        for each in [felt for felt in self.felt if felt.seconds is None]:
            query = select(func.count()).where(
                items.c.id.in_(each.touched), items.c.state.not_in(TERMINAL)
            )
            try:
                with opened(self.fleet.database) as connection:
                    left = connection.scalar(query)
            except OperationalError:  # it went away while it was read
                return
            if not left:
                each.seconds = time.monotonic() - max(felt.at for felt in self.felt)

    @property
    def slowest(self) -> float:
        """Seconds that the slowest recovery took."""
        return max((1e9 if felt.seconds is None else felt.seconds for felt in self.felt), default=0)
