"""The promise under a storm of kills: 3,000 items, one seed a run.

The storm and the judge are those of tests/service. Recovery is the time from a kill to the next
item that ends; beside it stands how long the items that a kill touched took to end, further
kills among it. Not here: the short seed (tests/service/test_faults.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from benchmarks.ground import Ground
from benchmarks.measures import median
from benchmarks.service import stand
from benchmarks.service.calls import Api
from store.schema import items
from tests.service.checker import opened
from tests.service.faults import Schedule, Storm
from tests.service.fleet import Fleet

# Few threads and a quick LLM: so many kills may repeat 1 % of the calls only when few are in
# flight at a time.
THREADS, WORKERS, LATENCY, LEASE = 4, 2, 0.05, 3.0
RECOVERY_BAR, REPEATED_BAR = 30.0, 0.01
FULL = Schedule(workers=20, redis=10, dispatchers=3, api=3, postgres=2, everything=1)
QUICK = Schedule(workers=3, redis=1, dispatchers=1, api=1, postgres=1, everything=1)


def measure(
    ground: Ground, seed: int, on_unknown: str = "retry", postgres: bool = True
) -> dict[str, Any]:
    """The judge's figures, the kills, and how long each was felt."""
    count, schedule = (200, QUICK) if ground.quick else (3000, FULL)
    order = [kind for kind in schedule.drawn(seed) if postgres or kind != "postgres"]
    own = {"latency": LATENCY, "service__lease": LEASE}
    with stand.fleet(ground, postgres=postgres, **own) as running:
        running.up(workers=WORKERS, threads=THREADS, dispatchers=2)
        Api(running)
        stand.warmed(running, THREADS * WORKERS)
        begun = time.time()
        job = running.submit(stand.asked(ground, count), on_unknown=on_unknown, budget_usd=50.0)
        storm = Timed(running, job, count)
        storm.run(order, 1500)
        seconds = stand.ended(running, job, begun, 60)
        report = running.judged(kills=storm.worker_kills, in_flight=THREADS, jobs=[job])
        kills = _felt(running, job, storm)
    return {
        "seed": seed, "database": "Postgres" if postgres else "SQLite", "on_unknown": on_unknown,
        "workers": WORKERS, "threads": THREADS, "latency": LATENCY, "lease": LEASE,
        "seconds": round(seconds, 1),
        "kills": {kind: order.count(kind) for kind in dict.fromkeys(order)},
        "workers_killed_alive": storm.worker_kills, "figures": report.figures,
        "problems": report.problems, "felt": kills, "slowest_recovery": _slowest(kills, "next"),
        "median_recovery": _median(kills, "next"), "slowest_touched": _slowest(kills, "touched"),
        "bars": _bars(report.figures, report.problems, kills, on_unknown),
    }  # fmt: skip


def _bars(
    figures: dict[str, int | float], problems: list[str], kills: list[dict[str, Any]],
    on_unknown: str,
) -> dict[str, bool]:  # fmt: skip
    slow = [each for each in kills if each["next"] is None or each["next"] > RECOVERY_BAR]
    found = {
        "0 lost, 0 doubled, the books add up": not problems,
        f"each kill is over within {RECOVERY_BAR:g} s": not slow,
    }
    if on_unknown == "hold":
        return found | {"hold: 0 calls repeated": figures["repeated"] == 0}
    within = figures["repeated"] <= figures["repeated_bound"]
    under = figures["repeated"] < REPEATED_BAR * figures["items"]
    return found | {"repeated calls at most kills x in flight": within,
                    "repeated calls under 1 %": under}  # fmt: skip


@dataclass(slots=True)
class Timed(Storm):
    """Notes when each blow had fallen: what ended before that says nothing of recovery."""

    fallen: list[float] = field(default_factory=list)

    def _strike(self, kind: str, number: int) -> None:
        Storm._strike(self, kind, number)  # `super()` does not know a class with slots
        self.fallen.append(time.time())


def _felt(running: Fleet, job: str, storm: Timed) -> list[dict[str, Any]]:
    """Each kill: its kind, when, seconds to the next end of an item, and of all that it touched.

    None: nothing ended after it any more.
    """
    with opened(running.database) as connection:
        query = select(items.c.id, items.c.finished).where(items.c.job_id == job)
        ends = {row.id: float(row.finished) for row in connection.execute(query) if row.finished}
    offset, rows = time.time() - time.monotonic(), []
    for kill, fallen in zip(storm.felt, storm.fallen, strict=True):
        at = kill.at + offset
        after = [end for end in ends.values() if end > fallen]
        touched = [ends[item] for item in kill.touched if item in ends]
        rows.append({
            "kind": kill.kind, "at": round(at, 2),
            "next": round(min(after) - at, 2) if after else None,
            "touched": round(max(0.0, max(touched) - at), 2) if touched else None,
        })  # fmt: skip
    return rows


def _known(kills: list[dict[str, Any]], name: str) -> list[float]:
    return [each[name] for each in kills if each[name] is not None]


def _slowest(kills: list[dict[str, Any]], name: str) -> float:
    return max(_known(kills, name), default=0.0)


def _median(kills: list[dict[str, Any]], name: str) -> float:
    return round(median(_known(kills, name) or [0.0]), 2)
