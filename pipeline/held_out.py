"""Held-out predictions: what judges say of rows that they were not fitted on, fold by fold.

They make the View on which thresholds are sought and policies compared. Not here: the search
(thresholds.py), the comparison (policy_fit.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from pipeline.automix import Verify
from pipeline.hardness import fit_hardness
from pipeline.logistic import Matrix
from pipeline.outcomes import FOLDS, Outcomes
from pipeline.stop import Embed, Readings, support_of
from pipeline.thresholds import Known
from pipeline.view import Chain, Seen, luck

LONGEST_CHAIN = 4  # systems called one after the other; FrugalGPT has at most three
MOST_SYSTEMS = 5  # that chains are made of


def chains(recorded: Outcomes) -> list[Chain]:
    """Every order from cheap to strong of two to four systems whose answers can be read.

    Of many systems those that are the best for their cost, FrugalGPT's pruned list.
    """
    accuracy, readable = recorded.accuracy, recorded.readable
    better = [k for k in range(len(accuracy)) if accuracy[k] >= accuracy[:k].max(initial=0.0)]
    count = len(recorded.systems)
    kept = range(count) if count <= MOST_SYSTEMS else better[-MOST_SYSTEMS:]
    return [
        chain
        for size in range(2, LONGEST_CHAIN + 1)
        for chain in itertools.combinations(kept, size)
        if all(readable[k] for k in chain[:-1])
    ]


def asked(found: Sequence[Chain]) -> list[tuple[Chain, int]]:
    """(prefix, target) of every judge that these chains need."""
    pairs = {(chain[:n], target) for chain in found for n in range(1, len(chain))
             for target in chain[n - 1 :]}  # fmt: skip
    return sorted(pairs)


def held_out(recorded: Outcomes, embed: Embed, verify: Verify) -> Known:
    """The View of all rows, each judged by judges of the other folds, and the outcomes."""
    vectors = embed(recorded.prompts).astype(np.float64)
    wins = _wins(recorded, vectors)
    found = chains(recorded)
    read: dict[tuple[Chain, int], Matrix] = {}
    for prefix, pairs in itertools.groupby(asked(found), key=lambda pair: pair[0]):
        readings = Readings.of(recorded.prompts, recorded.texts, prefix, embed)
        for _, target in pairs:
            read[prefix, target] = _read(recorded, readings, wins, target)
    firsts = {chain[0] for chain in found}
    supports = {k: support_of(recorded.prompts, [t[k] for t in recorded.texts], verify)
                for k in firsts}  # fmt: skip
    offered = np.ones(recorded.right.shape, bool)
    view = Seen(offered, recorded.mean_cost, luck(recorded.prompts), wins, read, supports)
    right = np.where(np.isnan(recorded.right), wins, recorded.right)
    return Known(view, right, recorded.paid)


def _wins(recorded: Outcomes, vectors: Matrix) -> Matrix:
    wins = np.empty(recorded.right.shape)
    for fold in range(FOLDS):
        test = recorded.folds == fold
        train = [prompt for prompt, out in zip(recorded.prompts, test, strict=True) if not out]
        known = recorded.right[~test]
        hardness = fit_hardness(recorded.systems, train, vectors[~test], known)
        tested = [prompt for prompt, out in zip(recorded.prompts, test, strict=True) if out]
        if tested:
            wins[test] = hardness.wins(tested, vectors[test])
    return wins


def _read(recorded: Outcomes, readings: Readings, wins: Matrix, target: int) -> Matrix:
    """P(target right) of each row, by the judge of the other folds; by the prompt without text."""
    found = wins[:, target].copy()
    for fold in range(FOLDS):
        test = recorded.folds == fold
        judge = readings.fit(recorded.right[:, target], ~test)
        if judge is not None:
            found = readings.judge(judge, test, found)
    return found
