"""Development questions and claims out of PILOTFISH_BENCH_DATA, as the benchmarks use them.

Not here: reading the files (models/training/sources.py), measuring or fitting.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from models.training.examples import share
from models.training.sources import rows

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
