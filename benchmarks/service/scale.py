"""10,000 questions at 0.1 s LLM latency with 1, 2 and 4 workers; accepting 10,000; memory.

Not here: the 1 s case (speed.py).
"""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.service import stand
from tests.service.fleet import Fleet

THREADS, LATENCY = 32, 0.1
ACCEPT_BAR, GROWTH_BAR = 5.0, 0.05
WORKERS = (1, 2, 4)


def measure(ground: Ground) -> dict[str, Any]:
    """Items per second by workers; resident memory over the second half; the accept."""
    count = 300 if ground.quick else 10_000
    accepted = _accept(ground, count)
    by = {str(n): _run(ground, count, n) for n in (WORKERS[:2] if ground.quick else WORKERS)}
    growth = max(row["memory_growth_second_half"] for row in by.values())
    return {
        "questions": count,
        "accept_seconds": accepted,
        "workers": by,
        "bars": {
            f"{count} accepted in {ACCEPT_BAR:g} s": accepted <= ACCEPT_BAR,
            "memory grows by under 5 % over the second half": growth < GROWTH_BAR,
            "nothing lost": not any(row["problems"] for row in by.values()),
        },
    }


def _accept(ground: Ground, count: int) -> float:
    """Seconds until POST /v1/jobs has said that the job is accepted."""
    with stand.fleet(ground) as running:
        api = stand.Api(running)
        body = {"questions": [row["question"] for _, row in stand.asked(ground, count)]}
        begun = time.perf_counter()
        job = api.made("POST", "/v1/jobs", {**body, "recipe": "plain"})
        seconds = time.perf_counter() - begun
        assert job["total"] == count, job
    return round(seconds, 2)


def _run(ground: Ground, count: int, workers: int) -> dict[str, Any]:
    with stand.fleet(ground, latency=LATENCY) as running:
        running.up(workers=workers, threads=THREADS)
        stand.warmed(running, THREADS * workers)
        watch = Memory(running)
        before, begun = stand.cpu_of(running), time.perf_counter()
        job = running.submit(stand.asked(ground, count))
        running.finished(job, 3600)
        seconds = time.perf_counter() - begun
        used = stand.between(before, stand.cpu_of(running))
        report = running.judged(jobs=[job])
        growth, most = watch.end()
    return {
        "seconds": round(seconds, 1), "items_a_second": round(count / seconds, 1),
        "cpu_seconds": used, "most_mb_a_worker": most, "memory_growth_second_half": growth,
        "problems": report.problems,
    }  # fmt: skip


class Memory:
    """Resident megabytes of the workers, every half second."""

    def __init__(self, running: Fleet) -> None:
        self._fleet, self._stop = running, threading.Event()
        self._seen: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            found = [stand.resident_mb(pid) for pid in stand.pids(self._fleet, "worker").values()]
            self._seen.append((time.monotonic(), sum(found) / max(len(found), 1)))

    def end(self) -> tuple[float, float]:
        """(growth over the second half as a share, by a fitted line; the most megabytes)."""
        self._stop.set()
        self._thread.join()
        half = np.array(self._seen[len(self._seen) // 2 :])
        if len(half) < 3:
            return 0.0, 0.0
        slope = float(np.polyfit(half[:, 0], half[:, 1], 1)[0])
        grown = slope * float(half[-1, 0] - half[0, 0]) / float(half[:, 1].mean())
        return round(grown, 4), round(float(half[:, 1].max()), 1)
