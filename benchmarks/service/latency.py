"""What the service adds to one question: through API, queue and worker, against embedded.

One question at a time, warm, the LLM answers at once; the same recipe, other questions, so that
nothing is replayed. Then `default` without an LLM, embedded. Not here: load (speed.py).
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.child import call
from benchmarks.ground import Ground
from benchmarks.measures import spread
from benchmarks.service import stand

BAR_MS, ALONE_BAR_MS = 30.0, 1500.0


def measure(ground: Ground) -> dict[str, Any]:
    """p50 and p95 of both ways in turn, and the difference of their p50s."""
    count = 20 if ground.quick else 200
    texts = [str(row["question"]) for _, row in stand.asked(ground, 2 * count + 10)]
    with stand.fleet(ground) as running:
        running.up(workers=1, threads=8)
        stand.warmed(running, 8)
        api = stand.Api(running)
        for text in texts[-10:]:
            _ask(api, text)
        served = [_ask(api, text) for text in texts[:count]]
        given = {"workspace": str(running.workspace), "recipe": "plain"}
        rest = {"questions": texts[count : 2 * count], "llm": running.llm.url}
        embedded = call("service.speed", "inline", {**given, **rest})
    alone = _alone(ground, texts[:count])
    through = spread(served)
    added = round(through["p50_ms"] - embedded["p50_ms"], 2)
    return {
        "questions": count,
        "served": through,
        "embedded": {name: embedded[name] for name in ("p50_ms", "p95_ms")},
        "added_p50_ms": added,
        "default_without_llm": alone,
        "bars": {
            f"adds at most {BAR_MS:g} ms at the median": added <= BAR_MS,
            "default without an LLM: p95 under 1.5 s": alone["p95_ms"] < ALONE_BAR_MS,
        },
    }


def _ask(api: stand.Api, text: str) -> float:
    begun = time.perf_counter()
    line = api.made("POST", "/v1/answers", {"question": text, "recipe": "plain"})
    seconds = time.perf_counter() - begun
    assert line["status"] in ("answered", "abstained"), line
    return seconds


def _alone(ground: Ground, texts: list[str]) -> dict[str, float]:
    place = str(ground.place("scifact"))
    given = {"workspace": place, "recipe": "default", "questions": texts, "llm": None}
    found = call("service.speed", "inline", given)
    return {name: found[name] for name in ("p50_ms", "p95_ms")}
