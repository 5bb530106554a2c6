"""Ten questions behind ten thousand, against ten alone. Not here: throughput."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.ground import Ground
from benchmarks.measures import median
from benchmarks.service import stand
from store import submissions
from tests.service.fleet import Fleet, Question

THREADS, LATENCY, BAR, ROUNDS, FEW = 32, 1.0, 3.0, 5, 10


def measure(ground: Ground) -> dict[str, Any]:
    """Seconds of ten alone and behind many, over some rounds."""
    many, rounds = (400, 2) if ground.quick else (10_000, ROUNDS)
    all_of_it = stand.asked(ground, many + 2 * rounds * FEW)
    few = [all_of_it[n * FEW : (n + 1) * FEW] for n in range(2 * rounds)]
    with stand.fleet(ground, latency=LATENCY) as running:
        running.up(workers=1, threads=THREADS)
        stand.warmed(running, THREADS)
        alone = [_seconds(running, each) for each in few[:rounds]]
        crowd = running.submit(all_of_it[2 * rounds * FEW :])
        running.reached(2 * THREADS, 120, crowd)
        behind = [_seconds(running, each) for each in few[rounds:]]
        left = many - running.done(crowd)
        running.tell(submissions.cancel, crowd)
        running.finished(crowd, seconds=60)
    ratio = round(median(behind) / median(alone), 2)
    return {
        "few": FEW, "behind": many, "threads": THREADS, "latency": LATENCY,
        "still_waiting_afterwards": left,
        "alone_seconds": [round(each, 2) for each in alone],
        "behind_seconds": [round(each, 2) for each in behind],
        "ratio": ratio,
        "bars": {f"{FEW} behind {many:,}: at most {BAR:g} times their time alone":
                 ratio <= BAR and left > 0},
    }  # fmt: skip


def _seconds(running: Fleet, asked: list[Question]) -> float:
    begun = time.time()
    return stand.ended(running, running.submit(asked), begun, 300)
