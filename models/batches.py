"""Length-sorted batches under a token budget, so that almost nothing is padded.

Not here: tokenising and inference. Small batches win on a CPU, because their activations stay
in the cache: 256 to 1,024 tokens beat 6,144 by 10 to 20 % (benchmarks/export.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUDGET = 512


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a call (`index`) and their padded tokens: `ids` and `mask`, int64 (rows, length)."""

    index: list[int]
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


def plan(tokens: Sequence[Sequence[int]], pad: int, budget: int = BUDGET) -> Iterator[Batch]:
    """Batches of at most `budget` tokens (one row at least), longest first, padded on the right."""
    order = sorted(range(len(tokens)), key=lambda row: -len(tokens[row]))
    start = 0
    while start < len(order):
        length = max(1, len(tokens[order[start]]))
        index = order[start : start + max(1, budget // length)]
        start += len(index)
        yield _fill(index, tokens, pad, length)


def _fill(index: list[int], tokens: Sequence[Sequence[int]], pad: int, length: int) -> Batch:
    ids = np.full((len(index), length), pad, np.int64)
    mask = np.zeros((len(index), length), np.int64)
    for row, source in enumerate(index):
        ids[row, : len(tokens[source])] = tokens[source]
        mask[row, : len(tokens[source])] = 1
    return Batch(index, ids, mask)
