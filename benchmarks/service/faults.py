"""The promise under a storm of kills, on SQLite and Postgres, three seeds; and with `hold`.

The storm and the judge are those of tests/service. Not here: the short seed (test_faults.py).
"""

from __future__ import annotations

from typing import Any

from benchmarks.ground import Ground
from benchmarks.service import stand
from tests.service.faults import Schedule, Storm

THREADS, WORKERS, LATENCY, RECOVERY_BAR = 8, 2, 1.0, 30.0
SEEDS = (1, 2, 3)
FULL = Schedule(workers=20, redis=10, dispatchers=3, api=3, postgres=2, everything=1)
QUICK = Schedule(workers=3, redis=1, dispatchers=1, api=1, postgres=1, everything=1)


def measure(ground: Ground) -> dict[str, Any]:
    """A run a seed; SQLite has the second seed, which restarts no Postgres; one with `hold`."""
    seeds = SEEDS[:1] if ground.quick else SEEDS
    runs = [_run(ground, seed, on_unknown="retry", postgres=seed != 2) for seed in seeds]
    held = _run(ground, seeds[0], on_unknown="hold", postgres=False)
    figures = [run["figures"] for run in runs]
    within = all(f["repeated"] <= 0.01 * f["items"] for f in figures)
    return {
        "runs": runs,
        "hold": held,
        "bars": {
            "0 lost, 0 doubled, the books add up": not any(r["problems"] for r in [*runs, held]),
            "repeated calls at most kills x in flight and under 1 %": within
            and all(f["repeated"] <= f["repeated_bound"] for f in figures),
            "hold: 0 repeated": held["figures"]["repeated"] == 0,
            f"felt for under {RECOVERY_BAR:g} s each": all(
                run["slowest_seconds"] < RECOVERY_BAR for run in [*runs, held]
            ),
        },
    }


def _run(ground: Ground, seed: int, *, on_unknown: str, postgres: bool) -> dict[str, Any]:
    count, schedule = (200, QUICK) if ground.quick else (3000, FULL)
    with stand.fleet(ground, postgres=postgres, latency=LATENCY) as running:
        running.up(workers=WORKERS, threads=THREADS, dispatchers=2)
        stand.Api(running)
        stand.warmed(running, THREADS * WORKERS)
        job = running.submit(stand.asked(ground, count), on_unknown=on_unknown, budget_usd=50.0)
        storm = Storm(running, job, count)
        order = [kind for kind in schedule.drawn(seed) if postgres or kind != "postgres"]
        storm.run(order, 1800)
        kills = storm.worker_kills
        report = running.judged(kills=kills, in_flight=THREADS, jobs=[job])
    return {
        "seed": seed, "database": "Postgres" if postgres else "SQLite", "on_unknown": on_unknown,
        "kills": {kind: order.count(kind) for kind in dict.fromkeys(order)},
        "workers_killed_alive": kills, "slowest_seconds": round(storm.slowest, 1),
        "figures": report.figures, "problems": report.problems,
    }  # fmt: skip
