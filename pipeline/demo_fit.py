"""Tunes a pool of demonstrations: what helped a frozen reader, learned, then held to a test.

For each training input the most similar demonstrations are scored by a frozen reader's success with
each of them alone; best against worst fits the adapter (models/contrast.py). On inputs that it was
not fitted to, each task's gate then chooses among none, dense and tuned: a cleverer picker only
where it is right more often by a paired test. UPRISE (arXiv 2303.08518) hurts some tasks, so that
the gate is part of the method. Not here: storing pools (demonstrations.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import contrast
from prompters.demonstrations.pool import Demo, How, Pool, tasks
from prompters.demonstrations.reader import answered
from verifiers.binomial import at_most

CANDIDATES, WORST, K = 60, 8, 4
CHECKED = 0.25  # share of each task that the gates are chosen on
LEVEL = 0.05  # of the paired test
FEWEST = 40  # demonstrations below which nothing is tuned
Floats = NDArray[np.float32]
# (input, its vector, gold output, one demonstration) -> how well the reader did with it, 0 to 1
Success = Callable[[Demo, Floats, Demo], float]


@dataclass(frozen=True, slots=True)
class Tuned:
    """The pool with adapter and gates, and what was measured for each task."""

    pool: Pool
    measured: dict[str, dict[str, Any]]


def alike(asked: Demo, vector: Floats, shown: Demo) -> float:
    """The in-context reader's success with one demonstration: it repeats its output."""
    return float(" ".join(shown.output.lower().split()) == " ".join(asked.output.lower().split()))


def tuned(
    pool: Pool, success: Success = alike, k: int = K, candidates: int = CANDIDATES,
    inputs: int | None = None,
) -> Tuned:  # fmt: skip
    """Adapter and gates of a pool; below FEWEST demonstrations its gates are `dense`.

    candidates, inputs: how many of how many are scored, evenly chosen; None: all inputs.
    """
    if len(pool.demos) < FEWEST:
        gates: dict[str, How] = dict.fromkeys(tasks(pool.demos), "dense")
        return Tuned(replace(pool, gates=gates), {})
    checked = held_back(len(pool.demos))
    taught = [at for at in range(len(pool.demos)) if at not in checked]
    trained = adapted(pool, taught, success, candidates, inputs)
    measured = {task: _measured(trained, task, checked, k) for task in tasks(pool.demos)}
    chosen = {task: one["gate"] for task, one in measured.items()}
    if not any(gate == "tuned" for gate in chosen.values()):
        trained = pool  # the adapter won nowhere
    return Tuned(replace(trained, gates=chosen), measured)


def held_back(count: int) -> frozenset[int]:
    """The places that gates are chosen on, spread evenly."""
    every = round(1 / CHECKED)
    return frozenset(range(every - 1, count, every))


def adapted(
    pool: Pool, taught: Sequence[int], success: Success = alike, candidates: int = CANDIDATES,
    inputs: int | None = None,
) -> Pool:  # fmt: skip
    """The pool with an adapter that was fitted to inputs at these places."""
    some = list(taught)[:: max(1, round(len(taught) / inputs))][:inputs] if inputs else taught
    asked, best, worst = _pairs(pool, taught, some, success, candidates)
    if not len(asked):
        return pool
    down, up = contrast.fit(asked, best, worst)
    return replace(pool, down=down, up=up)


def _pairs(
    pool: Pool, taught: Sequence[int], some: Sequence[int], success: Success, candidates: int
) -> tuple[Floats, Floats, Floats]:
    """(inputs, best, worst) of those inputs whose candidates differ in success."""
    places, vectors = np.array(taught), pool.vectors
    rows: list[tuple[int, int, list[int]]] = []
    for at in some:
        near = vectors[places] @ vectors[at]
        order = [int(places[i]) for i in np.argsort(-near, kind="stable")[: candidates + 1]]
        order = [one for one in order if one != at]
        scores = [success(pool.demos[at], vectors[at], pool.demos[one]) for one in order]
        top, low = max(scores, default=0.0), min(scores, default=0.0)
        if top <= low:
            continue
        ranked = sorted(zip(scores, range(len(order)), order, strict=True))
        bad = [one for score, _, one in ranked if score < top][:WORST]
        good = [one for one, score in zip(order, scores, strict=True) if score == top]
        rows += [(at, one, (bad * WORST)[:WORST]) for one in good[:3]]
    asked = np.array([at for at, _, _ in rows], dtype=int)
    near_, far = np.array([g for _, g, _ in rows], dtype=int), np.array([b for *_, b in rows], int)
    return vectors[asked], vectors[near_], vectors[far.reshape(len(rows), WORST)]


def _measured(pool: Pool, task: str, checked: frozenset[int], k: int) -> dict[str, Any]:
    """How often the reader is right with each picker, on held-back inputs; and the gate."""
    asked = [at for at in sorted(checked) if pool.demos[at].task == task]
    rest = [one.output for at, one in enumerate(pool.demos)
            if one.task == task and at not in checked]  # fmt: skip
    commonest = Counter(rest).most_common(1)[0][0] if rest else ""
    others = checked | pool.outside(task)
    right = {
        how: rights(pool, asked, how, k, commonest, others) for how in ("none", "dense", "tuned")
    }
    gate: How = "none"
    for how in ("dense", "tuned"):
        if wins(right[how], right[gate]):
            gate = how
    found: dict[str, Any] = {how: round(float(np.mean(some)), 4) if some else 0.0
                             for how, some in right.items()}  # fmt: skip
    return found | {"held back": len(asked), "gate": gate}


def rights(
    pool: Pool, asked: Sequence[int], how: How, k: int, commonest: str, skip: frozenset[int]
) -> list[bool]:
    """Whether the reader is right on each input, shown what this picker picks."""
    found = []
    for at in asked:
        vector = pool.vectors[at]
        chosen = pool.pick(pool.demos[at].input, vector, k, how, skip)
        shown = [pool.demos[one] for one in chosen]
        said = answered(vector, shown, pool.vectors[chosen], commonest)
        found.append(said == pool.demos[at].output)
    return found


def wins(one: Sequence[bool], other: Sequence[bool]) -> bool:
    """Whether one is right more often, by a one-sided sign test over those that differ."""
    ahead = sum(a and not b for a, b in zip(one, other, strict=True))
    behind = sum(b and not a for a, b in zip(one, other, strict=True))
    count = ahead + behind
    if ahead <= behind:
        return False
    return at_most(behind, count, 0.5) <= LEVEL
