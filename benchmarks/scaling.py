"""Growth from 1,000 to 100,000 passages: latency, memory, disk; and where inverted lists pay.

Passages and their vectors are generated (generated.py), queries are real and encoded. The
last part holds vectors only: exact search against the shipped inverted lists.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import generated
from benchmarks.child import call
from benchmarks.ground import Ground, ground, opened
from benchmarks.measures import spread
from benchmarks.passages import Vectors, vectors

SIZES, LARGE = (1_000, 10_000, 100_000), 300_000
QUICK_SIZES, QUICK_LARGE = (1_000, 3_000), 20_000
QUERIES, WARM, K = 100, 10, 10
SHARES = (0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.24, 0.32)
BAR = 0.98
KINDS = ("clustered", "repeated", "real")  # repeated: real with noise, up to LARGE


def measure(ground: Ground) -> dict[str, Any]:
    """Sizes one after the other, each built and searched in its own fresh process."""
    sizes = QUICK_SIZES if ground.quick else SIZES
    grown = {}
    for size in sizes:
        place = ground.work / f"generated-{size}"
        shutil.rmtree(place, ignore_errors=True)
        given = {"workspace": str(place), "quick": ground.quick}
        built = call("scaling", "build", given | {"size": size})
        grown[str(size)] = call("scaling", "search", given) | {"build": built}
        shutil.rmtree(place, ignore_errors=True)
    for name in ("scifact", "2wiki"):
        ground.collection(name)
    lists = {
        kind: call("scaling", "lists", {"kind": kind, "quick": ground.quick}) for kind in KINDS
    }
    return {
        "sizes": grown,
        "growth": _growth(grown),
        "lists": lists,
        "bars": {
            f"inverted lists find {BAR} of the exact 10 ({kind})": _recall(found) >= BAR
            for kind, found in lists.items()
            if kind != "real"  # far below the size at which lists are used
        },
    }


def _recall(found: dict[str, Any]) -> float:
    return float(found["shipped"]["recall@10"])


def _growth(grown: dict[str, Any]) -> dict[str, dict[str, float]]:
    """How many times slower or larger the largest is than the smallest."""
    first, *_, last = grown.values()
    found = {
        name: {"p50": round(last["search"][name]["p50_ms"] / first["search"][name]["p50_ms"], 2)}
        for name in first["search"]
    }
    return found | {"memory": {"peak": round(last["peak_mb"] / first["peak_mb"], 2)}}


def build(workspace: str, size: int, quick: bool) -> dict[str, Any]:
    """In the child: draw, store, index; sizes on disk."""
    corpus = [row["text"] for row in ground(quick).retrieval_set("scifact").corpus]
    made = generated.texts(corpus, size)
    start = time.perf_counter()
    generated.fill(Path(workspace), made, generated.clustered(size))
    seconds = round(time.perf_counter() - start, 2)
    folder = Path(workspace)
    index = sum(_bytes(path) for path in folder.rglob("index/**/*"))
    return {
        "seconds": seconds,
        "index_mb": round(index / 1e6, 2),
        "database_mb": round(sum(map(_bytes, folder.glob("pilotfish.db*"))) / 1e6, 2),
    }


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def search(workspace: str, quick: bool) -> dict[str, Any]:
    """In the child: latency of each retriever, the encoder's work included."""
    from pilotfish.types import Question

    library = opened(Path(workspace))
    queries = _queries(quick)
    start = time.perf_counter()
    library.search(Question(queries[0]))
    found: dict[str, Any] = {"open_seconds": round(time.perf_counter() - start, 3), "search": {}}
    for name in ("bm25", "dense", "fused"):

        def one(query: str, name: str = name) -> object:
            return library.search(Question(query), name, K)

        found["search"][name] = spread(_timed(one, queries))
    return found


def _queries(quick: bool) -> list[str]:
    return list(ground(quick).retrieval_set("scifact").queries.values())[: QUERIES + WARM]


def _timed(search: Callable[[Any], Any], queries: Any) -> list[float]:
    seconds = []
    for query in queries:
        start = time.perf_counter()
        search(query)
        seconds.append(time.perf_counter() - start)
    return seconds[WARM:]


def lists(kind: str, quick: bool) -> dict[str, Any]:
    """In the child: exact scan against the shipped inverted lists on `kind` vectors."""
    from retrievers import dense_index

    rows, asked, encode = _vectors(kind, QUICK_LARGE if quick else LARGE, quick)
    large = len(rows)
    dense_index.EXACT_UNTIL = min(dense_index.EXACT_UNTIL, large // 2)
    exact: dict[str, Any] = {}
    truth: list[set[int]] = []
    for size in sorted({large // 30, large // 3, 2 * large // 3, large}):
        seconds, truth = _exact(rows[:size], asked)
        exact[str(size)] = seconds
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "dense.faiss"
        start = time.perf_counter()
        numbered = [(np.arange(large, dtype=np.int64), rows)]
        dense_index.update(None, target, numbered, [], rows.shape[1])
        trained = time.perf_counter() - start
        index = dense_index.DenseIndex(target)
    shipped = dense_index._PROBE_SHARE
    sweep = {str(share): _swept(index, share, asked, truth) for share in sorted({*SHARES, shipped})}
    enough = [float(share) for share, row in sweep.items() if row["recall@10"] >= BAR]
    return {
        "vectors": large, "lists": getattr(index._index, "nlist", 0), "exact": exact,
        "build_seconds": round(trained, 1), "encode_query": encode, "share": shipped,
        "shipped": sweep[str(shipped)], "sweep": sweep, "least_share": min(enough, default=None),
    }  # fmt: skip


def _vectors(kind: str, large: int, quick: bool) -> tuple[Vectors, Vectors, dict[str, float]]:
    """(rows, query vectors, time of encoding one query)."""
    from models.encoder import Encoder

    encoder, queries = Encoder(), _queries(quick)
    encode = spread(_timed(lambda q: encoder.encode([q], kind="query"), queries))
    if kind == "clustered":
        return generated.clustered(large), generated.clustered(len(queries), seed=7), encode
    here = ground(quick)
    rows = np.concatenate([vectors(here.collection(name)) for name in ("scifact", "2wiki")])
    if kind == "repeated":
        rows = generated.jittered(rows, large)
    return rows, encoder.encode(queries, kind="query"), encode


def _exact(rows: Vectors, asked: Vectors) -> tuple[dict[str, float], list[set[int]]]:
    import faiss

    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # as the product searches
    seconds = spread(_timed(lambda v: index.search(v[None, :], K), asked))
    faiss.omp_set_num_threads(threads)
    return seconds, [set(ids) for ids in index.search(asked, K)[1].tolist()]


def _swept(index: Any, share: float, asked: Vectors, truth: list[set[int]]) -> dict[str, float]:
    """Latency and recall with this share of the lists read, through the product's own search."""
    from retrievers import dense_index

    dense_index._PROBE_SHARE = share
    hits: list[set[int]] = []
    seconds = _timed(lambda v: hits.append({i for i, _ in index.search(v, K)}), asked)
    found = [len(some & right) / K for some, right in zip(hits, truth, strict=True)]
    return spread(seconds) | {"recall@10": round(float(np.mean(found)), 4)}
