"""AUROC of support by set: the judge, its cross-encoder alone, and the naive baselines.

Each set's rows are held out from the cross-encoder; the fitted judge over it is cross-fitted, or
for sets without a licence fitted on the others alone. `left out` leaves the whole set out of the
fitted judge. Not here: training the cross-encoder without a set (models/training).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.judges import rows
from benchmarks.judges.fitting import FREE, Seen, crossfitted, fit, scores
from models.auroc import auroc
from models.training import sources
from pilotfish.settings import load
from pipeline.judges import judges
from verifiers.verdict import Verdicts

BASELINES = {"overlap": "overlap", "cosine": "cosine", "length": "words"}
SIMPLE = dict.fromkeys(
    ("overlap", "cosine", "whole", "names", "numbers", "negation", "words", "evidence"), 0
)
BAR, LEFT_OUT_BAR = 0.78, 0.72


def gathered(limit: int, over: Verdicts | None = None) -> tuple[list[Seen], float]:
    """What the judge sees of every held-out row, and pairs per second. over: instead of ours."""
    look = over or judges(load({"judge": "pilot"})).verdicts
    look([("warm", "This is warm.")])
    found, begun = [], time.perf_counter()
    for name in rows.SETS:
        pairs = rows.pairs(name, limit)
        verdicts = look([(pair.claim, pair.evidence) for pair in pairs])
        found += [Seen(p.set, p.group, p.verdict, dict(v.features))
                  for p, v in zip(pairs, verdicts, strict=True) if v.features]  # fmt: skip
    return found, len(found) / (time.perf_counter() - begun)


def measure(ground: Ground) -> dict[str, Any]:
    """The table by set, the means, and the bars."""
    seen, speed = gathered(60 if ground.quick else rows.LIMIT)
    table = by_set(seen)
    counted = [table[name] for name in rows.COUNTED]
    mean = float(np.mean([row["judge"] for row in counted]))
    left = float(np.mean([row["left out"] for row in counted]))
    naive = (*BASELINES, "simple logistic")
    beaten = all(row["judge"] > max(row[one] for one in naive) for row in counted)
    return {
        "sets": table, "mean": round(mean, 4), "mean left out": round(left, 4),
        "pairs per second": round(speed, 1),
        "bars": {
            f"mean AUROC of support at least {BAR}": mean >= BAR,
            f"mean with the set left out of the fitted judge at least {LEFT_OUT_BAR}":
                left >= LEFT_OUT_BAR,
            "above every baseline on every set": beaten,
        },
    }  # fmt: skip


def by_set(seen: Sequence[Seen]) -> dict[str, dict[str, float]]:
    """set -> AUROC of each judge, and balanced accuracy of the fitted one."""
    names = list(seen[0].features)
    licensed = [row for row in seen if row.set in sources.LICENSED]
    crossed = crossfitted(licensed)
    simple = crossfitted(licensed, SIMPLE, FREE)
    found = {}
    for name in rows.SETS:
        own = [row for row in seen if row.set == name]
        rest = [row for row in licensed if row.set != name]
        truth = np.array([row.verdict == 0 for row in own])
        left = scores(fit(rest), own)[:, 0]
        at = [i for i, row in enumerate(licensed) if row.set == name]
        judged = crossed[at, 0] if at else left
        plain = simple[at, 0] if at else scores(fit(rest, SIMPLE, FREE), own)[:, 0]
        line = {"rows": len(own), "judge": auroc(truth, judged), "left out": auroc(truth, left),
                "simple logistic": auroc(truth, plain)}  # fmt: skip
        for label in ("near for", "single for"):
            if label in names:
                line[f"model {label}"] = auroc(truth, np.array([r.features[label] for r in own]))
        for label, feature in BASELINES.items():
            value = auroc(truth, np.array([row.features[feature] for row in own]))
            line[label] = max(value, 1 - value) if label == "length" else value
        line["balanced accuracy"] = balanced(truth, judged)
        found[name] = {key: round(float(value), 4) for key, value in line.items()}
    return found


def swept(seen: Sequence[Seen], penalties: Sequence[float]) -> dict[float, float]:
    """penalty -> mean AUROC of the licensed sets, each left out of the fitted judge in turn."""
    licensed = [row for row in seen if row.set in sources.LICENSED]
    return {
        penalty: round(float(np.mean([_left_out(licensed, name, penalty)
                                      for name in sources.LICENSED])), 4)
        for penalty in penalties
    }  # fmt: skip


def _left_out(rows: Sequence[Seen], name: str, penalty: float) -> float:
    own = [row for row in rows if row.set == name]
    made = fit([row for row in rows if row.set != name], penalty=penalty)
    return auroc(np.array([row.verdict == 0 for row in own]), scores(made, own)[:, 0])


def balanced(truth: Any, chances: Any) -> float:
    """Mean of the two classes' accuracies at P = 0.5."""
    said = chances >= 0.5
    return float((said[truth].mean() + (~said[~truth]).mean()) / 2)


def write(seen: Sequence[Seen], file: Path) -> None:
    """Put the judge fitted on all licensed rows into weights.json, beside the others."""
    made = fit([row for row in seen if row.set in sources.LICENSED])
    weights = json.loads(file.read_text(encoding="utf-8"))
    weights |= {f"verdict {side}": made[side] for side in ("supported", "contradicted")}
    file.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
