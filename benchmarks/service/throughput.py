"""10,000 questions at 0.1 s LLM latency: questions a second by workers, and their memory.

Not here: the job at 1 s (speed.py), accepting (accept.py).
"""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.service import stand
from benchmarks.service.speed import states
from tests.service.fleet import Fleet

THREADS, LATENCY, GROWTH_BAR = 32, 0.1, 0.05
SHOWN = 60  # points of the memory's course that are kept


def measure(ground: Ground, workers: int) -> dict[str, Any]:
    """Questions a second, CPU seconds, resident memory of a worker over time."""
    count = 300 if ground.quick else 10_000
    with stand.fleet(ground, latency=LATENCY) as running:
        running.up(workers=workers, threads=THREADS)
        stand.warmed(running, THREADS * workers)
        memory = Memory(running)
        before, begun = stand.cpu_of(running), time.time()
        job = running.submit(stand.asked(ground, count))
        seconds = stand.ended(running, job, begun, 1500)
        used = stand.between(before, stand.cpu_of(running))
        course = memory.end()
        report, counts = running.judged(jobs=[job]), running.llm.counts()
    growth = grown(course)
    return {
        "workers": workers, "threads": THREADS, "latency": LATENCY, "questions": count,
        "seconds": round(seconds, 1), "a_second": round(count / seconds, 1),
        "states": states(report.figures), "most_in_flight": counts["most_in_flight"],
        "cpu_seconds": used, "problems": report.problems,
        "cpu_ms_a_question": round(sum(used.values()) / count * 1000, 1),
        "memory_mb": [[round(at, 1), round(mb, 1)] for at, mb in thinned(course)],
        "most_mb": round(max((mb for _, mb in course), default=0.0), 1),
        "growth_second_half": growth,
        "bars": {
            f"{workers} worker(s): memory grows by under 5 % over the second half":
                growth < GROWTH_BAR,
            f"{workers} worker(s): nothing lost or doubled": not report.problems,
        },
    }  # fmt: skip


Course = list[tuple[float, float]]


class Memory:
    """(seconds, mean resident megabytes of a worker), every half second."""

    def __init__(self, running: Fleet) -> None:
        self._fleet, self._stop = running, threading.Event()
        self._seen: Course = []
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            found = [stand.resident_mb(pid) for pid in stand.pids(self._fleet, "worker").values()]
            self._seen.append((time.monotonic() - self._begun, sum(found) / max(len(found), 1)))

    def end(self) -> Course:
        self._stop.set()
        self._thread.join()
        return self._seen


def grown(course: Course) -> float:
    """Growth over the second half by a fitted line, as a share of its mean."""
    half = np.array(course[len(course) // 2 :])
    if len(half) < 3:
        return 0.0
    slope = float(np.polyfit(half[:, 0], half[:, 1], 1)[0])
    return round(slope * float(half[-1, 0] - half[0, 0]) / float(half[:, 1].mean()), 4)


def thinned(course: Course) -> Course:
    return course[:: max(1, len(course) // SHOWN)]
