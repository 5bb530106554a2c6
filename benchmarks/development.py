"""Development questions and claims out of PILOTFISH_BENCH_DATA, as the benchmarks use them.

Not here: measuring or fitting.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
READING = ("reading/nq_oracle", "reading/xquad")
VERIFICATION = ("scifact", "fever_symmetric", "wice", "begin", "halueval_qa")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its right answers, and the document that holds one (None: taken away)."""

    id: str
    question: str
    answers: tuple[str, ...]
    document: str
    removed: bool


def data_root() -> Path:
    """The folder of benchmark data; exits with 3 when it is missing."""
    root = Path(os.environ.get("PILOTFISH_BENCH_DATA", ROOT.parent / "shared" / "data"))
    if not root.is_dir():
        sys.exit(f"benchmark data is missing: {root} (set PILOTFISH_BENCH_DATA)")
    return root


def rows(name: str) -> Iterator[dict[str, Any]]:
    """Records of a `.jsonl.gz` file, named without its ending."""
    with gzip.open(data_root() / f"{name}.jsonl.gz", "rt", encoding="utf-8") as handle:
        for line in handle:
            yield json.loads(line)


def share(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 16**8


def reading_set(removed: float = 0.2) -> tuple[list[dict[str, str]], list[Asked]]:
    """(documents, questions): all contexts as documents, but a share of them taken away."""
    documents: dict[str, dict[str, str]] = {}
    asked = []
    for name in READING:
        for row in rows(name):
            key = "d" + hashlib.sha256(row["context"].encode()).hexdigest()[:12]
            gone = share("removed " + key) < removed
            if not gone:
                documents[key] = {"id": key, "title": row["title"], "text": row["context"]}
            asked.append(Asked(row["id"], row["question"], tuple(row["answers"]), key, gone))
    return list(documents.values()), asked
