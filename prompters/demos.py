"""Puts the demonstrations that are most like the question before it, the most similar last.

UPRISE (arXiv 2303.08518), with a gate for each task: what did not help on held-back inputs is left
out. Demonstrations are hints, never sources. Not here: the pool and its pickers
(demonstrations/), tuning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pilotfish.types import Case, Hint
from prompters.demonstrations.pool import Demo, How, Pool

DEMO = "demo"
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Demos:
    """`pool()` gives the pool as it is now, or None. A task whose gate is `none` shows none."""

    pool: Callable[[], Pool | None]
    embed: Embed
    k: int = 4
    name: str = "demos"

    def __call__(self, case: Case, /) -> Case:
        pool = self.pool()
        if pool is None or not pool.demos:
            return replace(case, notes={"why": "there are no demonstrations"})
        text = case.question.text
        vector = self.embed([text])[0]
        how: How = "tuned" if pool.down.size else "dense"
        found = pool.pick(text, vector, 4 * self.k, how)
        open_to = [at for at in found if pool.gates.get(pool.demos[at].task, how) != "none"]
        chosen = open_to[-self.k :]
        shut = len(found) - len(open_to)
        notes = {"picked": how, "shown": len(chosen), "left out by a gate": shut,
                 "tasks": sorted({pool.demos[at].task for at in chosen})}  # fmt: skip
        hints = tuple(Hint(DEMO, shown(pool.demos[at])) for at in chosen)
        return replace(case, hints=(*case.hints, *hints), notes=notes)


def shown(demo: Demo) -> str:
    """As it stands in a prompt, each of the two on a line."""
    return f"Input: {' '.join(demo.input.split())}\nOutput: {' '.join(demo.output.split())}"
