"""What the pilot learns from: one pair of texts and what each head should say of it.

Also which side of the split a record falls on. Not here: where records come from (sources.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

SUPPORTED, CONTRADICTED, UNSUPPORTED, REFUSED = 0, 1, 2, 3  # REFUSED: either of the two before
NO_ANSWER = (-1, -1)
HELD_OUT = 0.2


@dataclass(frozen=True, slots=True)
class Example:
    """(question or claim, passage) and the targets that are known; None: no loss for that head.

    relevant: 0.0 to 1.0. verdict: SUPPORTED, CONTRADICTED, UNSUPPORTED or REFUSED.
    span: code points [start, end) of the answer in `passage`, or NO_ANSWER.
    """

    asked: str
    passage: str
    source: str
    relevant: float | None = None
    verdict: int | None = None
    span: tuple[int, int] | None = None
    held: bool = False


def share(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 16**8


def held(document: str) -> bool:
    """Whether what comes from this source document is for validation."""
    return share("pilot " + document) < HELD_OUT


def components(keys: Sequence[Sequence[Hashable]]) -> list[str]:
    """For each record the name of its connected group: records that share a key share a group."""
    parent: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for record in keys:
        first = root(record[0])
        for key in record[1:]:
            parent[root(key)] = first
    return [str(root(record[0])) for record in keys]
