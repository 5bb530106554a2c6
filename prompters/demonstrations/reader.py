"""A transparent in-context reader: what the demonstrations in a prompt vote for.

A frozen black box to measure with where no LLM is at hand: it sees the input and the prompt's
demonstrations, nothing else, and each votes for its output by exp(cosine / WARMTH). Induction heads
do much the same (Olsson et al. 2022, arXiv 2209.11895). Not here: choosing demonstrations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prompters.demonstrations.pool import Demo

Floats = NDArray[np.float32]
WARMTH = 0.1


def votes(vector: Floats, shown: Sequence[Demo], vectors: Floats) -> dict[str, float]:
    """output -> its share of the votes; empty without demonstrations."""
    if not shown:
        return {}
    weights = np.exp((vectors @ vector) / WARMTH)
    found: dict[str, float] = defaultdict(float)
    for one, weight in zip(shown, weights.tolist(), strict=True):
        found[one.output] += weight
    whole = sum(found.values())
    return {output: weight / whole for output, weight in found.items()}


def answered(vector: Floats, shown: Sequence[Demo], vectors: Floats, otherwise: str) -> str:
    """The output with most votes; `otherwise` where nothing is shown."""
    found = votes(vector, shown, vectors)
    return max(found, key=lambda output: (found[output], output)) if found else otherwise
