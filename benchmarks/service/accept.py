"""How long it takes until POST /v1/jobs has said that 10,000 questions are accepted.

As JSON and as an uploaded file of JSON lines, in turn, the whole service up; each job is
cancelled before the next, so that workers and dispatcher compete for the cores as they would.
Not here: doing them (throughput.py).
"""

from __future__ import annotations

import json
import time
from typing import Any

from benchmarks.ground import Ground
from benchmarks.service import stand
from benchmarks.service.calls import JSON, Api, form
from store import submissions

BAR, ROUNDS, LATENCY = 5.0, 3, 1.0


def measure(ground: Ground) -> dict[str, Any]:
    """Seconds of each round by kind of body."""
    count = 500 if ground.quick else 10_000
    texts = stand.texts(ground, count)
    lines = [json.dumps({"custom_id": f"c{n}", "question": text}) for n, text in enumerate(texts)]
    bodies = {
        "JSON": (json.dumps({"questions": texts, "recipe": "plain"}).encode(), JSON),
        "JSONL": form({"recipe": "plain"}, "questions.jsonl", "\n".join(lines).encode()),
    }
    found: dict[str, list[float]] = {kind: [] for kind in bodies}
    with stand.fleet(ground, latency=LATENCY) as running:
        running.up(workers=1, threads=8)
        api = Api(running)
        stand.warmed(running, 8)
        for _ in range(ROUNDS):
            for kind, (body, headers) in bodies.items():
                begun = time.perf_counter()
                job = api.post("/v1/jobs", body, headers)
                found[kind].append(round(time.perf_counter() - begun, 2))
                assert job["total"] == count, job
                running.tell(submissions.cancel, job["id"])
                time.sleep(1.0)
    return {
        "questions": count, "seconds": found,
        "megabytes": {kind: round(len(body) / 1e6, 2) for kind, (body, _) in bodies.items()},
        "bars": {f"{count:,} questions as {kind} accepted in {BAR:g} s": max(seconds) <= BAR
                 for kind, seconds in found.items()},
    }  # fmt: skip
