"""Held-out rows for measuring the judges: what the cross-encoder was not trained on.

Licensed sets: the fifth of their source documents that training leaves out. Sets without a
licence: never trained on, so all of them (at most LIMIT rows). Not here: measuring.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from models.training import sources
from models.training.examples import SUPPORTED, components, held

LIMIT = 400
SETS = (*sources.LICENSED, *sources.UNLICENSED)
COUNTED = tuple(name for name in SETS if name != "halueval_qa")  # its length alone scores 0.96


@dataclass(frozen=True, slots=True)
class Pair:
    """One claim and its evidence; `verdict` as in models/training/examples.py."""

    set: str
    group: str
    claim: str
    evidence: str
    verdict: int

    @property
    def supported(self) -> bool:
        return self.verdict == SUPPORTED


def pairs(name: str, limit: int = LIMIT) -> list[Pair]:
    """The held-out rows of one verification set."""
    found = list(sources.rows(f"verification/{name}"))
    examples = sources.verification(name)
    groups = components([(r["claim"], r.get("doc_id") or r["evidence"]) for r in found])
    kept = [
        Pair(name, group, row["claim"], row["evidence"], example.verdict or 0)
        for row, example, group in zip(found, examples, groups, strict=True)
        if example.held or name in sources.UNLICENSED
    ]
    return kept if len(kept) <= limit else random.Random(5).sample(kept, limit)


def questions(name: str) -> list[dict[str, Any]]:
    """The held-out questions of one reading set."""
    return [row for row in sources.rows(f"reading/{name}") if held(row["title"])]
