"""Large structures: a graph of a million triples, ten thousand tables; time and memory.

Not here: quality (graphs.py, finding.py).
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.ground import Ground, add, opened
from pilotfish.types import Question, Scope

TRIPLES, TABLES, ASKED = 1_000_000, 10_000, 60
RELATIONS = ("works for", "lives in", "knows", "part of", "made by", "born in", "owns", "likes")


def measure(here: Ground) -> dict[str, Any]:
    """Seconds to add and load, milliseconds a question, megabytes at most."""
    small = 50 if here.quick else 1
    with tempfile.TemporaryDirectory() as folder:
        graph = _graph(Path(folder), TRIPLES // small)
        tables = _tables(Path(folder), TABLES // small)
    return {"graph": graph, "tables": tables}


def _graph(folder: Path, count: int) -> dict[str, float]:
    path = folder / "large.triples.tsv"
    rng = random.Random(7)
    people = count // 5
    with path.open("w") as stream:
        for at in range(count):
            other = f"thing {rng.randrange(people)}" if at % 3 else f"place {rng.randrange(999)}"
            stream.write(f"thing {at % people}\t{RELATIONS[rng.randrange(8)]}\t{other}\n")
    begun = time.perf_counter()
    add(folder / "graph", path)
    added = time.perf_counter() - begun
    library = opened(folder / "graph")
    begun = time.perf_counter()
    library.parts.graphs.reading()
    loaded = time.perf_counter() - begun
    asked = [
        f"who {RELATIONS[rng.randrange(8)]} what is {RELATIONS[rng.randrange(8)]} "
        f"thing {rng.randrange(people)}" for _ in range(ASKED)
    ]  # fmt: skip
    times = _timed(lambda text: library.parts.graphs(text), asked)
    return {
        "triples": count, "add seconds": round(added, 1), "load seconds": round(loaded, 2),
        **times, "peak mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }  # fmt: skip


def _tables(folder: Path, count: int) -> dict[str, float]:
    path = folder / "large.tables.jsonl"
    rng = random.Random(8)
    words = [f"{a}{b}" for a in "kal mor ti ven sor".split() for b in "da lin ro ter vix".split()]
    with path.open("w") as stream:
        for at in range(count):
            columns = rng.sample(words, 4)
            rows = [
                [rng.choice(words), *(str(rng.randrange(999)) for _ in "123")] for _ in range(8)
            ]
            stream.write(json.dumps({"id": f"t{at}", "columns": columns, "rows": rows}) + "\n")
    begun = time.perf_counter()
    library = add(folder / "tables", path)
    added = time.perf_counter() - begun
    asked = [" ".join(rng.sample(words, 4)) for _ in range(ASKED)]
    scope = Scope(kind="table")
    times = _timed(lambda text: library.search(Question(text, scope=scope)), asked)
    return {"tables": count, "add seconds": round(added, 1), **times}


def _timed(ask: Callable[[str], object], texts: list[str]) -> dict[str, float]:
    spent = []
    for text in texts:
        begun = time.perf_counter()
        ask(text)
        spent.append((time.perf_counter() - begun) * 1000)
    spent.sort()
    return {"p50 ms": round(statistics.median(spent), 1),
            "p95 ms": round(spent[int(len(spent) * 0.95)], 1)}  # fmt: skip
