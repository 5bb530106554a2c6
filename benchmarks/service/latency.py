"""What the service adds to one question, against the same question of an embedded library.

Three ways in turn, question by question: embedded; through the API with its own threads
(`serve --inline`); through API, Redis and a worker. Each has a workspace of its own, so that
nothing is replayed; all are warm, the LLM answers at once, one question at a time. What is
added is the difference of the same question's times. Not here: load (speed.py, fairness.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.measures import spread
from benchmarks.service import stand
from benchmarks.service.calls import Api
from benchmarks.service.embedded import embedded

BAR_MS = 30.0
RECIPE, WARM_UP = "plain", 10
WAYS = {"inline": "API with its own threads", "redis": "API, Redis and a worker"}


def measure(ground: Ground) -> dict[str, Any]:
    """p50 and p95 of each way, and of what two of them add."""
    count = 20 if ground.quick else 300
    texts = stand.texts(ground, count + WARM_UP)
    with (
        stand.fleet(ground) as queued,
        stand.fleet(ground) as threaded,
        stand.copied(ground) as place,
        embedded(place, RECIPE, queued.llm.url) as library,
    ):
        queued.up(workers=1, threads=8)
        queue, threads = Api(queued), Api(threaded, "--inline")
        ways: dict[str, Callable[[str], float]] = {
            "embedded": lambda text: library.ask(text)["seconds"],
            "inline": lambda text: threads.ask(text, RECIPE),
            "redis": lambda text: queue.ask(text, RECIPE),
        }
        _in_turn(ways, texts[count:])
        found = _in_turn(ways, texts[:count])
    added = {way: _added(found[way], found["embedded"]) for way in WAYS}
    return {
        "questions": count,
        "ways": {way: spread(seconds) for way, seconds in found.items()},
        "added": added,
        "bars": {
            f"{name} add at most {BAR_MS:g} ms at the median": added[way]["p50_ms"] < BAR_MS
            for way, name in WAYS.items()
        },
    }


def _in_turn(ways: dict[str, Callable[[str], float]], texts: list[str]) -> dict[str, list[float]]:
    """Seconds of every question by way; who goes first changes with each question."""
    found: dict[str, list[float]] = {way: [] for way in ways}
    names = list(ways)
    for number, text in enumerate(texts):
        first = number % len(names)
        for way in names[first:] + names[:first]:
            found[way].append(ways[way](text))
    return found


def _added(served: list[float], alone: list[float]) -> dict[str, float]:
    return spread((np.asarray(served) - np.asarray(alone)).tolist())
