"""Documents per second of `add`, end to end, against LlamaIndex embedding the same passages.

Ours parses, splits, stores, embeds and builds both indexes on disk; LlamaIndex is given the
ready passages and fills an in-memory vector index. Loading of models is left out on both sides.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.child import call
from benchmarks.ground import COMPLETE, Ground, add, opened
from benchmarks.measures import median
from benchmarks.passages import Piece, pieces

ROUNDS, DOCUMENTS = 3, 300  # a round of LlamaIndex over 1,000 takes four minutes
BAR = 2.5
PEERS = {"LlamaIndex, batch 10 (default)": 10, "LlamaIndex, batch 32": 32}


def measure(ground: Ground) -> dict[str, Any]:
    """Alternating rounds on a subset, each in a fresh process; then the whole set for ours."""
    count = 60 if ground.quick else DOCUMENTS
    file = ground.corpus_file("scifact", count)
    passages = ground.work / "files" / f"passages-{count}.jsonl"
    seconds: dict[str, list[float]] = {"Pilotfish": [], **{name: [] for name in PEERS}}
    for _ in range(ROUNDS):
        seconds["Pilotfish"].append(_ours_once(file, passages))
        for name, batch in PEERS.items():
            given = {"passages": str(passages), "batch": batch}
            seconds[name].append(float(call("indexing", "llama", given)["seconds"]))
    speeds = {n: [round(count / s, 2) for s in times] for n, times in seconds.items()}
    ratios = {n: _ratio(seconds["Pilotfish"], seconds[n]) for n in PEERS}
    whole = _whole(ground)
    return {
        "documents": count,
        "passages": sum(1 for _ in passages.open()),
        "documents_per_second": speeds,
        "median": {name: median(values) for name, values in speeds.items()},
        "ratio": ratios,
        "whole": whole,
        "bars": {
            f"at least {BAR} times LlamaIndex (default batch)": ratios[next(iter(PEERS))] >= BAR,
            "re-adding the whole set under 2 s, nothing embedded": whole["again"]["seconds"] < 2
            and whole["again"]["encode_calls"] == 0,
        },
    }


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """Median of the rounds' ratios: each round is one pair measured back to back."""
    return round(median([b / a for a, b in zip(ours, theirs, strict=True)]), 2)


def _ours_once(file: Path, passages: Path) -> float:
    """One round of ours; leaves the passages for the peers."""
    with tempfile.TemporaryDirectory() as folder:
        given = {"file": str(file), "workspace": folder}
        seconds = float(call("indexing", "ours", given)["seconds"])
        if not passages.exists():
            found = pieces(opened(Path(folder)))
            data.write(passages, [{"id": p.id, "text": p.searched} for p in found])
    return seconds


def _whole(ground: Ground) -> dict[str, Any]:
    """The whole set, once; then again, unchanged. Stays as the collection of later parts."""
    place = ground.place("scifact")
    shutil.rmtree(place, ignore_errors=True)
    given = {"file": str(ground.corpus_file("scifact")), "workspace": str(place)}
    first, again = call("indexing", "ours", given), call("indexing", "ours", given)
    rate = round(first["documents"] / first["seconds"], 2)
    (place / COMPLETE).touch()
    return {"first": first, "documents_per_second": rate, "again": again}


def ours(file: str, workspace: str) -> dict[str, Any]:
    """In the child: one `add`, timed; the encoder is loaded before the clock starts."""
    from models.encoder import Encoder
    from pipeline.library import Hooks

    warm = Encoder()
    warm.encode(["warm"])
    calls, embedded = _counted(), [0]
    start = time.perf_counter()
    library = add(Path(workspace), Path(file), Hooks(embedded=lambda n: embedded.append(n)))
    seconds = time.perf_counter() - start
    return {
        "seconds": round(seconds, 3),
        "documents": sum(1 for _ in Path(file).open()),
        "passages": len(library.shelf.opened().bm25),
        "encode_calls": len(calls),
        "embedded": sum(embedded),
    }


def _counted() -> list[int]:
    """Every later call of Encoder.encode leaves the number of its texts here."""
    from models.encoder import Encoder

    calls: list[int] = []
    real = Encoder.encode

    def encode(self: Encoder, texts: Any, **options: Any) -> Any:
        calls.append(len(texts))
        return real(self, texts, **options)

    Encoder.encode = encode  # type: ignore[method-assign]
    return calls


def llama(passages: str, batch: int) -> dict[str, Any]:
    """In the child: VectorStoreIndex over ready nodes, timed; the model is loaded before."""
    import json

    from benchmarks import peer_llama

    rows = [json.loads(line) for line in Path(passages).read_text().split("\n") if line]
    made = peer_llama.nodes([Piece(row["id"], "", row["text"]) for row in rows])
    model = peer_llama.embedding(batch)
    model.get_text_embedding("warm")
    start = time.perf_counter()
    peer_llama.index(made, model)
    return {"seconds": round(time.perf_counter() - start, 3)}
