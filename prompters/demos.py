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
from prompters.demonstrations.pool import Demo, Pool

DEMO = "demo"
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Demos:
    """`pool()` gives the pool as it is now, or None. The question's task, that of its nearest
    demonstrations, says by its gate how some of its own are picked.
    """

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
        task = pool.task_of(vector)
        how = pool.gates.get(task, "dense")
        chosen = pool.pick(text, vector, self.k, how, pool.outside(task))
        why = "they did not help on held-back inputs" if how == "none" else "its gate is open"
        notes = {"task": task, "picked": how, "shown": len(chosen), "why": why}
        hints = tuple(Hint(DEMO, shown(pool.demos[at])) for at in chosen)
        return replace(case, hints=(*case.hints, *hints), notes=notes)


def shown(demo: Demo) -> str:
    """As it stands in a prompt, each of the two on a line."""
    return f"Input: {' '.join(demo.input.split())}\nOutput: {' '.join(demo.output.split())}"
