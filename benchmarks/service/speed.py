"""1,000 SciFact questions at 1 s LLM latency: one worker, 32 threads, two cores.

The ideal is what 32 callers need who do nothing but wait: questions / threads x latency. With
the default recipe the bound is the larger of that ideal and the recipe's own CPU time: CPU
seconds of one question asked inline (no service, an LLM that answers at once), times the
questions, spread evenly over the cores. Not here: more than one worker (throughput.py).
"""

from __future__ import annotations

import os
import time
from typing import Any

from benchmarks.ground import Ground
from benchmarks.service import stand
from benchmarks.service.embedded import embedded

THREADS, LATENCY, BAR = 32, 1.0, 1.25
ACCEPT = 0.8  # what ships: above it the default recipe asks no LLM


def measure(ground: Ground, recipe: str) -> dict[str, Any]:
    """Seconds of a job against its bound, and where the CPU time went."""
    count, inline = (100, 20) if ground.quick else (1000, 100)
    row = _job(ground, recipe, count)
    own = _own(ground, recipe, inline)
    cores = len(os.sched_getaffinity(0))
    ideal = count / THREADS * LATENCY
    spread = own * count / cores
    bound = ideal if recipe == "plain" else max(ideal, spread)
    ratio = row["seconds"] / bound
    return {
        "recipe": recipe, "questions": count, "threads": THREADS, "latency": LATENCY, **row,
        "inline_cpu_ms_a_question": round(own * 1000, 1), "cores": cores,
        "ideal_seconds": round(ideal, 1), "own_cpu_seconds": round(own * count, 1),
        "own_cpu_seconds_over_cores": round(spread, 1),
        "bound_seconds": round(bound, 1), "ratio": round(ratio, 3),
        "bars": {f"{recipe}: at most {BAR} times its bound": ratio <= BAR,
                 f"{recipe}: every question ended once": not row["problems"]},
    }  # fmt: skip


def _job(ground: Ground, recipe: str, count: int) -> dict[str, Any]:
    with stand.fleet(ground, latency=LATENCY, extract_above=ACCEPT) as running:
        running.up(workers=1, threads=THREADS)
        stand.warmed(running, THREADS, recipe)
        before, begun = stand.cpu_of(running), time.time()
        job = running.submit(stand.asked(ground, count), recipe=recipe)
        seconds = stand.ended(running, job, begun, 900)
        used = stand.between(before, stand.cpu_of(running))
        report, counts = running.judged(jobs=[job]), running.llm.counts()
    return {
        "seconds": round(seconds, 2), "states": states(report.figures),
        "llm_requests": counts["requests"], "most_in_flight": counts["most_in_flight"],
        "cpu_seconds": used, "problems": report.problems,
    }  # fmt: skip


def states(figures: dict[str, int | float]) -> dict[str, int | float]:
    """state -> items, of a report."""
    return {n.removeprefix("items_"): v for n, v in figures.items() if n.startswith("items_")}


def _own(ground: Ground, recipe: str, count: int) -> float:
    """CPU seconds of one question asked inline, on average."""
    with stand.fleet(ground) as running:  # for its LLM server alone
        with stand.copied(ground) as place, embedded(place, recipe, running.llm.url) as library:
            asked = stand.texts(ground, count)
            used = [library.ask(text)["cpu_seconds"] for text in asked]
    return sum(used) / len(used)
