"""Latency of fused search, one client thread, warm: ours, LlamaIndex's and Haystack's fusion.

Same passages, same weights, same vectors in every store; a fresh process for each system and
round, systems alternating. Depth is how many passages each retriever hands to the fusion.
Everybody is measured with one computing thread, and with the libraries' default number, which
is faster on idle cores and far slower on busy ones. Ratios are like for like; the bar takes
the lesser.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.child import call
from benchmarks.ground import Ground, opened
from benchmarks.measures import median, spread
from benchmarks.passages import pieces, vectors

ROUNDS, QUERIES, WARM, K = 3, 100, 10, 10
SLOW_QUERIES = 20  # for Haystack, which takes about a second each
DEPTH = 100  # what our fusion reads; the peers are measured at this depth and at K
BAR = 5.0
DEFAULT = ", default threads"
PEERS = ("LlamaIndex", "Haystack")
RUNS = (
    ("Pilotfish", "ours", 1),
    ("Pilotfish", "ours", 0),
    ("LlamaIndex", "llama", 1),
    ("LlamaIndex", "llama", 0),
    ("Haystack", "haystack", 1),
    ("Haystack", "haystack", 0),
)


def measure(ground: Ground) -> dict[str, Any]:
    """p50 and p95 of each system over all rounds; ratios of the p50s round by round."""
    library = ground.collection("scifact")
    count = 20 if ground.quick else QUERIES
    queries = list(ground.retrieval_set("scifact").queries.values())[: count + WARM]
    workspace = str(library.settings.workspace)
    rounds: list[dict[str, Any]] = []
    for _ in range(ROUNDS):
        rounds.append(_round({"workspace": workspace, "queries": queries}))
    systems = [name for name in rounds[0] if name != "peak"]
    ratios = {name: _ratio(rounds, name) for name in systems if not name.startswith("Pilotfish")}
    return {
        "passages": len(pieces(library)),
        "queries": count,
        "rounds": ROUNDS,
        "systems": {name: _row(rounds, name) for name in systems},
        "ratio": ratios,
        "peak_mb": {name: median([r["peak"][name] for r in rounds]) for name in rounds[0]["peak"]},
        "bars": {
            f"p50 at least {BAR:g} times faster than {peer}": _least(ratios, peer) >= BAR
            for peer in PEERS
        },
    }


def _round(given: dict[str, Any]) -> dict[str, Any]:
    """Each system once, in a fresh process."""
    found: dict[str, Any] = {"peak": {}}
    for name, function, threads in RUNS:
        one = call("searching", function, given, threads)
        found["peak"].setdefault(name, one["peak_mb"])
        suffix = "" if threads else DEFAULT
        found |= {label + suffix: run for label, run in one["runs"].items()}
    return found


def _least(ratios: dict[str, float], peer: str) -> float:
    """The lesser of the two thread settings, at equal depth."""
    return min(v for k, v in ratios.items() if k.startswith(f"{peer}, depth {DEPTH}"))


def _row(rounds: list[dict[str, Any]], name: str) -> dict[str, Any]:
    seconds = [second for one in rounds for second in one[name]["seconds"]]
    same = [_overlap(a, b) for a, b in
            zip(rounds[0]["Pilotfish"]["ids"], rounds[0][name]["ids"], strict=False)]  # fmt: skip
    return spread(seconds) | {"same_top_10": round(sum(same) / len(same), 3)}


def _overlap(ours: Sequence[int], theirs: Sequence[int]) -> float:
    return len(set(ours) & set(theirs)) / max(1, len(ours))


def _ratio(rounds: list[dict[str, Any]], name: str) -> float:
    """Median over rounds of (their p50 / our p50), with the same number of threads."""
    mine = "Pilotfish" + (DEFAULT if name.endswith(DEFAULT) else "")
    pairs = [(r[name]["seconds"], r[mine]["seconds"]) for r in rounds]  # on the same queries
    ratios = [median(theirs) / median(own[: len(theirs)]) for theirs, own in pairs]
    return round(median(ratios), 2)


def timed(search: Callable[[str], list[int]], queries: Sequence[str]) -> dict[str, Any]:
    """Seconds and passage ids of each query after the warm ones."""
    for query in queries[:WARM]:
        search(query)
    seconds, ids = [], []
    for query in queries[WARM:]:
        start = time.perf_counter()
        found = search(query)
        seconds.append(time.perf_counter() - start)
        ids.append(found)
    return {"seconds": seconds, "ids": ids}


def ours(workspace: str, queries: list[str]) -> dict[str, Any]:
    """In the child: the library's own search."""
    from pilotfish.types import Question

    library = opened(Path(workspace))

    def search(query: str) -> list[int]:
        return [p.id for p in library.search(Question(query), "fused", K).passages]

    return {"runs": {"Pilotfish": timed(search, queries)}}


def llama(workspace: str, queries: list[str]) -> dict[str, Any]:
    """In the child: QueryFusionRetriever over the vector index and BM25Retriever."""
    from benchmarks import peer_llama

    library = opened(Path(workspace))
    found, rows = pieces(library), vectors(library)
    index = peer_llama.index(peer_llama.nodes(found, rows), peer_llama.embedding())
    plain = peer_llama.nodes(found)
    runs = {}
    for depth in (DEPTH, K):
        fused = peer_llama.fusion(index, peer_llama.lexical(plain, depth), depth, K)

        def search(query: str, fused: Any = fused) -> list[int]:
            return [int(hit.node.node_id) for hit in fused.retrieve(query)]

        runs[f"LlamaIndex, depth {depth}"] = timed(search, queries)
    return {"runs": runs}


def haystack(workspace: str, queries: list[str]) -> dict[str, Any]:
    """In the child: the hybrid in-memory pipeline; it scans, so it gets the first queries only."""
    from benchmarks import peer_haystack

    library = opened(Path(workspace))
    made = peer_haystack.pipeline(pieces(library), vectors(library), DEPTH, K)

    def search(query: str) -> list[int]:
        return peer_haystack.search(made, query)

    return {"runs": {f"Haystack, depth {DEPTH}": timed(search, queries[: WARM + SLOW_QUERIES])}}
