"""Routers and cascades on recorded answers: APGR on unseen subjects, cost at equal accuracy.

Every number is of held-out folds: MMLU by subject, the others by question. Thresholds for a fold
are sought on the other folds alone. Not here: prices (costs.py), the methods (pipeline/).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.routing_measures import apgr, interval, oracle
from benchmarks.routing_rows import rows
from pipeline.automix import lexical
from pipeline.hardness import at_random, fit_hardness, gain, majority, neighbours
from pipeline.held_out import held_out
from pipeline.outcomes import FOLDS, Outcomes, outcomes
from pipeline.policy_fit import BASELINES, Tried, candidates, choose, cross_validated
from pipeline.thresholds import Known
from pipeline.vectors import Vectors

PAIRS = ("mmlu", "gsm8k")
CASCADES = ("gsm8k_cascade", "zero_shot_cot")
BUDGETS, QUICK_BUDGETS, QUICK_ROWS = 12, 4, 300


def measure(ground: Ground) -> dict[str, Any]:
    """Both halves, and the bars."""
    vectors = _vectors(ground)
    pairs = {name: _pair(ground, name, vectors) for name in PAIRS}
    cascades = {name: _cascade(ground, name, vectors) for name in CASCADES}
    low = pairs["mmlu"]["apgr"]["logistic"]["by row"][0]
    bars = {"APGR on MMLU's unseen subjects, lower 95 % bound above 0.5": low > 0.5}
    return {"pairs": pairs, "cascades": cascades, "bars": bars}


def _recorded(ground: Ground, name: str) -> tuple[Outcomes, list[str]]:
    found = rows(ground.data, name)
    if ground.quick:
        found = found[:: max(1, len(found) // QUICK_ROWS)]
    return outcomes(found, name), [str(row.group) for row in found]


def _pair(ground: Ground, name: str, vectors: Vectors) -> dict[str, Any]:
    """APGR of every router between two systems, from the prompt alone."""
    recorded, groups = _recorded(ground, name)
    known = _embedded(ground, vectors, name, list(recorded.prompts))
    weak, strong = recorded.right[:, 0], recorded.right[:, 1]
    scores = _scores(recorded, known)
    grouped = groups if recorded.grouped else None
    found = {
        router: {
            "apgr": round(apgr(score, weak, strong), 4),
            "by row": [round(x, 4) for x in interval(score, weak, strong)],
            **({"by subject": [round(x, 4) for x in interval(score, weak, strong, grouped)]}
               if grouped else {}),
        }
        for router, score in scores.items()
    }  # fmt: skip
    return {
        "rows": len(weak), "subjects": len(set(groups)) if grouped else None,
        "weak": round(float(weak.mean()), 4), "strong": round(float(strong.mean()), 4),
        "oracle": round(oracle(weak, strong), 4), "apgr": found,
    }  # fmt: skip


def _scores(recorded: Outcomes, vectors: np.ndarray) -> dict[str, np.ndarray]:
    """What each router says of rows that it was not fitted on: the higher, the harder."""
    count = len(recorded.prompts)
    logistic, near, most = np.empty(count), np.empty(count), np.empty(count)
    for fold in range(FOLDS):
        test = recorded.folds == fold
        train = np.flatnonzero(~test)
        seen, right = [recorded.prompts[row] for row in train], recorded.right[train]
        asked = [recorded.prompts[row] for row in np.flatnonzero(test)]
        judges = fit_hardness(recorded.systems, seen, vectors[train], right)
        logistic[test] = gain(judges.wins(asked, vectors[test]))
        near[test] = gain(neighbours(vectors[train], right, vectors[test]))
        most[test] = gain(majority(right, int(test.sum())))
    return {
        "logistic": logistic, "kNN": near, "logistic + kNN": logistic + near,
        "majority": np.full(count, most.mean()), "random": at_random(count),
    }  # fmt: skip


def _cascade(ground: Ground, name: str, vectors: Vectors) -> dict[str, Any]:
    """For each kind of rule the least cost at which it is as right as the strongest system."""
    recorded, _ = _recorded(ground, name)
    texts = [text for row in recorded.texts for text in row[:-1] if text is not None]
    _embedded(ground, vectors, name, [*recorded.prompts, *texts])
    known = held_out(recorded, vectors, lexical)
    best = int(recorded.accuracy.argmax())
    wanted, full = float(known.right[:, best].mean()), float(known.cost[:, best].mean())
    least = float(known.cost.mean(axis=0).min())
    count = QUICK_BUDGETS if ground.quick else BUDGETS
    curves = {budget: _tried(recorded, known, float(budget))
              for budget in _budgets(least * 1.02, full * 1.02, count)}  # fmt: skip
    kinds = (*BASELINES, "router", "frugal", "automix", "weighed", "chosen")
    found = {kind: _cheapest(curves, kind, wanted, full) for kind in kinds}
    return {
        "rows": len(recorded.prompts),
        "systems": {
            system: {"accuracy": round(float(a), 4), "mean_cost": float(f"{c:.5g}")}
            for system, a, c in zip(recorded.systems, recorded.accuracy, recorded.mean_cost,
                                    strict=True)
        },
        "strongest": recorded.systems[best],
        "equal": found,
        "curve": {f"{budget:.5g}": _point(tried) for budget, tried in curves.items()},
    }  # fmt: skip


def _budgets(least: float, full: float, count: int) -> np.ndarray[Any, Any]:
    """From the cheapest system's to the strongest's cost, closer together near the latter."""
    return np.union1d(np.geomspace(least, full, count // 2), np.linspace(full / 2, full, count))


def _tried(recorded: Outcomes, known: Known, budget: float) -> dict[str, Tried]:
    """Of each kind of rule the best at this budget on held-out folds; `chosen`: what would ship."""
    every = [
        cross_validated(name, fit, known, recorded, budget)
        for name, fit in candidates(recorded).items()
    ]
    found: dict[str, Tried] = {"chosen": choose(every, budget)[0]}
    for one in every:
        kind = one.name.split(":")[0].split(",")[0]
        if kind not in found or one.accuracy > found[kind].accuracy:
            found[kind] = one
    return found


def _cheapest(
    curves: dict[float, dict[str, Tried]], kind: str, wanted: float, full: float
) -> dict[str, Any] | None:
    """The cheapest held-out point that is as accurate as the strongest system; None: none is."""
    points = [tried[kind] for tried in curves.values()
              if kind in tried and tried[kind].accuracy >= wanted]  # fmt: skip
    if not points:
        return None
    best = min(points, key=lambda one: one.cost)
    return {
        "rule": best.name, "accuracy": round(best.accuracy, 4),
        "mean_cost": float(f"{best.cost:.5g}"), "of_strongest": round(best.cost / full, 4),
    }  # fmt: skip


def _point(tried: dict[str, Tried]) -> dict[str, list[float]]:
    return {kind: [float(f"{one.cost:.5g}"), round(one.accuracy, 4)] for kind, one in tried.items()}


def _vectors(ground: Ground) -> Vectors:
    from models.encoder import Encoder

    return Vectors(Encoder())


def _embedded(
    ground: Ground, vectors: Vectors, name: str, texts: Sequence[str]
) -> np.ndarray[Any, Any]:
    """Vectors of the texts, kept in the work folder: encoding takes longer than all the rest."""
    wanted = list(dict.fromkeys(texts))
    digest = hashlib.sha256("\0".join([vectors.fingerprint, *wanted]).encode()).hexdigest()[:12]
    file: Path = ground.work / f"routing-{name}-{digest}.npy"
    if file.exists():
        vectors.remember(wanted, np.load(file))
    else:
        np.save(file, vectors(wanted))
    return vectors(texts).astype(np.float64)
