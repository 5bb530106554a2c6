"""A cold `pilotfish ask` without an LLM: wall seconds and peak memory, against LlamaIndex.

LlamaIndex loads its persisted index and BM25 retriever, fuses, prints the best passage; ours
also judges and cites. Processes are cold, the disk's cache is warm.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks import child
from benchmarks.ground import Ground, opened
from benchmarks.measures import median
from benchmarks.passages import pieces, vectors

ROUNDS, DEPTH, K = 5, 100, 10
_SCRIPT = "import sys; from benchmarks.cold import llama_ask; llama_ask(*sys.argv[1:])"


def measure(ground: Ground) -> dict[str, Any]:
    """Alternating cold runs of both, each on the next question."""
    library = ground.collection("scifact")
    workspace = str(library.settings.workspace)
    kept = ground.work / "llama-persisted"
    shutil.rmtree(kept, ignore_errors=True)
    child.call("cold", "llama_persist", {"workspace": workspace, "folder": str(kept)})
    queries = list(ground.retrieval_set("scifact").queries.values())
    rounds = 2 if ground.quick else ROUNDS
    program = str(Path(sys.executable).parent / "pilotfish")
    runs: dict[str, list[dict[str, Any]]] = {"Pilotfish": [], "LlamaIndex": []}
    for number in range(rounds + 1):  # the first round only warms the disk's cache
        query = queries[number]
        ours = child.run([program, "--workspace", workspace, "ask", query])
        theirs = child.run([sys.executable, "-c", _SCRIPT, str(kept), query])
        if number:
            runs["Pilotfish"].append(ours)
            runs["LlamaIndex"].append(theirs)
    shutil.rmtree(kept, ignore_errors=True)
    rows = {name: _row(found) for name, found in runs.items()}
    return {
        "passages": len(pieces(library)),
        "rounds": rounds,
        "systems": rows,
        "ratio": {key: _ratio(runs, key) for key in ("seconds", "peak_mb")},
    }


def _row(found: list[dict[str, Any]]) -> dict[str, Any]:
    kept = {key: [one[key] for one in found] for key in ("seconds", "peak_mb")}
    return {key: {"median": median(values), "all": values} for key, values in kept.items()}


def _ratio(runs: dict[str, list[dict[str, Any]]], key: str) -> float:
    pairs = zip(runs["Pilotfish"], runs["LlamaIndex"], strict=True)
    return round(median([theirs[key] / ours[key] for ours, theirs in pairs]), 2)


def llama_persist(workspace: str, folder: str) -> dict[str, Any]:
    """In a child: write LlamaIndex's own files from our passages and vectors."""
    from benchmarks import peer_llama

    library = opened(Path(workspace))
    peer_llama.persist(pieces(library), vectors(library), Path(folder), DEPTH)
    return {}


def llama_ask(folder: str, query: str) -> None:
    """What a LlamaIndex user's script would do."""
    from benchmarks import peer_llama

    hits = peer_llama.load(Path(folder), DEPTH, K).retrieve(query)
    print(hits[0].node.get_content())
