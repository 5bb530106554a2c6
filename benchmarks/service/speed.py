"""1,000 SciFact questions at 1 s LLM latency: one worker, 32 threads.

The ideal is what 32 callers need who do nothing but wait. For the default recipe the bound is
the larger of that and its own CPU time, measured inline in one thread. Not here: more than one
worker (scale.py).
"""

from __future__ import annotations

import math
import time
from typing import Any

from benchmarks.child import call
from benchmarks.ground import Ground
from benchmarks.measures import spread
from benchmarks.service import stand
from tests.service.fleet import MODEL

THREADS, LATENCY, BAR = 32, 1.0, 1.25
INLINE = 100


def measure(ground: Ground) -> dict[str, Any]:
    """Seconds of a job with each recipe against its bound, and where the CPU time went."""
    count = 100 if ground.quick else 1000
    found = {recipe: _job(ground, recipe, count) for recipe in ("plain", "default")}
    for recipe, row in found.items():
        row["inline_cpu_seconds_a_question"] = _inline(ground, recipe)
        ideal = math.ceil(count / THREADS * LATENCY * 10) / 10
        own = row["inline_cpu_seconds_a_question"] * count
        row["ideal_seconds"] = ideal
        row["bound_seconds"] = round(ideal if recipe == "plain" else max(ideal, own), 1)
        row["ratio"] = round(row["seconds"] / row["bound_seconds"], 3)
    bars = {f"{r}: at most {BAR} times its bound": row["ratio"] <= BAR for r, row in found.items()}
    return {"questions": count, "threads": THREADS, "recipes": found, "bars": bars}


def _job(ground: Ground, recipe: str, count: int) -> dict[str, Any]:
    with stand.fleet(ground, latency=LATENCY, extract_above=0.8) as running:
        running.up(workers=1, threads=THREADS)
        stand.warmed(running, THREADS)
        before, begun = stand.cpu_of(running), time.perf_counter()
        job = running.submit(stand.asked(ground, count), recipe=recipe)
        running.finished(job, 600)
        seconds = time.perf_counter() - begun
        used = stand.between(before, stand.cpu_of(running))
        report = running.judged(jobs=[job])
        counts = running.llm.counts()
    return {
        "seconds": round(seconds, 2), "states": states(report.figures),
        "llm_requests": counts["requests"], "most_in_flight": counts["most_in_flight"],
        "cpu_seconds": used, "problems": report.problems,
    }  # fmt: skip


def states(figures: dict[str, int | float]) -> dict[str, int | float]:
    return {n.removeprefix("items_"): v for n, v in figures.items() if n.startswith("items_")}


def _inline(ground: Ground, recipe: str) -> float:
    """CPU seconds of one question, asked inline with an LLM that answers at once."""
    with stand.fleet(ground, extract_above=0.8) as running:
        texts = [row["question"] for _, row in stand.asked(ground, 20 if ground.quick else INLINE)]
        given = {"workspace": str(running.workspace), "recipe": recipe, "questions": texts}
        found = call("service.speed", "inline", {**given, "llm": running.llm.url})
    return float(found["cpu_seconds"])


def inline(workspace: str, recipe: str, questions: list[str], llm: str | None) -> dict[str, Any]:
    """In a child: CPU and wall seconds of each question asked of an opened library."""
    import os
    from pathlib import Path

    from pilotfish.settings import LLMSettings, Settings
    from pilotfish.types import Question
    from pipeline.library import Library

    os.environ["OPENAI_API_KEY"] = "sk-test-not-a-real-key"
    own = LLMSettings(model=MODEL, api_base=llm) if llm else LLMSettings()
    library = Library(Settings(workspace=Path(workspace), llm=own, threads=1))
    for number in range(5):
        library.ask(Question(f"Does warm-up {number} precede?"), recipe)
    walls, cpu = [], time.process_time()
    for text in questions:
        begun = time.perf_counter()
        library.ask(Question(text), recipe)
        walls.append(time.perf_counter() - begun)
    used = (time.process_time() - cpu) / len(questions)
    return {"cpu_seconds": round(used, 4), "walls": walls, **spread(walls)}
