"""Fits the weights of retrievers/odds.py: `python -m benchmarks.judges.fit_pruning` prints them.

A conditional logit (McFadden 1974): which sentence of a question's ten passages holds the answer.
Words and rank are fitted on the questions that the pilot is trained on, what the pilot reads on
those that it has not seen; figures on them are cross-fitted in halves. Not here: the figures
(pruning.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.development import share
from benchmarks.ground import ground
from benchmarks.judges import pruning_rows
from benchmarks.judges.pruning_rows import Seen
from models.pilot.chosen import PILOT, chosen
from models.pilot.reading import Judge
from models.training import sources
from pilotfish.errors import SettingsError
from retrievers.odds import READ, RULES, Weights

PENALTY = 1.0
Array = NDArray[np.float64]
Gathered = Callable[[Judge | None, bool], list[Seen]]


def fit(found: Sequence[Seen], names: Sequence[str]) -> Weights:
    """The weights that make sentences with an answer likeliest among those of their question."""
    tables = [np.array([[row[name] for name in names] for row in one.rows]) for one in found]
    rights = [np.array(one.right) for one in found]
    some = [(t, r) for t, r in zip(tables, rights, strict=True) if r.any()]

    def loss(weights: Array) -> tuple[float, Array]:
        nats, slope = PENALTY / 2 * float(weights @ weights), PENALTY * weights
        for table, right in some:
            scores = table @ weights
            chances = np.exp(scores - scores.max())
            chances /= chances.sum()
            held = float(chances[right].sum()) + 1e-12
            nats -= float(np.log(held))
            slope = slope + table.T @ (chances - np.where(right, chances, 0.0) / held)
        return nats, slope

    best = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x
    return {name: round(float(w), 2) for name, w in zip(names, best, strict=True)}


def crossfitted(found: Sequence[Seen], names: Sequence[str]) -> list[Weights]:
    """For each question the weights that were fitted on the half that it is not in."""
    halves = [share("prune " + one.asked.question) >= 0.5 for one in found]
    made = {
        side: fit([one for one, half in zip(found, halves, strict=True) if half is not side], names)
        for side in (False, True)
    }
    return [made[half] for half in halves]


def usable() -> Judge | None:
    """The packaged pilot; None where its weights are not there."""
    model = chosen(PILOT, PILOT)
    try:
        if model is not None:
            model([("?", "?")])
    except SettingsError as error:
        sys.stderr.write(f"  without the pilot: {error}\n")
        return None
    return model


def main() -> None:
    """Print both sets of weights."""
    library, every = pruning_rows.collection(ground(False))
    model = usable()
    for name, judge, side in (("RULES", None, False), ("READ", model, True)):
        if name == "READ" and model is None:
            continue
        asked = [one for one in every if one.set in sources.READING and one.held is side]
        rows = (
            pruning_rows.seen(library, a, pruning_rows.listed(library, a), judge) for a in asked
        )
        found = [one for one in rows if one is not None]
        weights = fit(found, list(RULES if judge is None else READ))
        sys.stdout.write(f"{name} = {weights}  # {len(found)} questions\n")


if __name__ == "__main__":
    main()
