"""One question at a time with the default recipe and no LLM, through API, queue and worker.

Beside it the same questions of an embedded library. Not here: what the service adds (latency.py).
"""

from __future__ import annotations

from typing import Any

from benchmarks.ground import Ground
from benchmarks.measures import spread
from benchmarks.service import stand
from benchmarks.service.calls import Api
from benchmarks.service.embedded import embedded

BAR_MS = 1500.0
WARM_UP = 10


def measure(ground: Ground) -> dict[str, Any]:
    """p50 and p95 of both."""
    count = 20 if ground.quick else 300
    texts = stand.texts(ground, count + WARM_UP)
    with stand.fleet(ground, llm__model="", extract_above=0.8) as running:
        running.up(workers=1, threads=8)
        api = Api(running)
        for text in texts[count:]:
            api.ask(text, "default")
        served = spread([api.ask(text, "default") for text in texts[:count]])
    with stand.copied(ground) as place, embedded(place, "default", None) as library:
        inline = spread([library.ask(text)["seconds"] for text in texts[:count]])
    met = served["p95_ms"] < BAR_MS
    return {
        "questions": count, "served": served, "embedded": inline,
        "bars": {"default without an LLM: p95 of one question under 1.5 s": met},
    }  # fmt: skip
