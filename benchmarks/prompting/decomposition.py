"""Sub-questions against gold ones, and hops counted, on the half that no weight was fitted to.

Beside the fitted decomposer the rule baseline, and the question left whole. Not here: fitting
(fit_decomposition.py), what decomposition is worth in retrieval (multihop.py).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from benchmarks.data import Row, lines
from benchmarks.ground import Ground
from benchmarks.prompting.fit_decomposition import FORM, fitted
from benchmarks.prompting.overlap import aligned
from prompters.decompose import Decomposer, Decomposition

SETS = ("2wiki", "strategyqa", "gsm8k")
Ask = Callable[[str], Decomposition]


def whole(question: str) -> Decomposition:
    """No decomposition at all."""
    return Decomposition("single", (question,))


def measure(here: Ground) -> dict[str, Any]:
    """Overlap and hops of each way on each set, single questions left alone, and the bars."""
    ways: dict[str, Ask] = {"fitted": Decomposer.shipped(), "rules": Decomposer(), "whole": whole}
    most = 40 if here.quick else None
    sets = {name: [row for row in lines(here.data / "decomposition" / f"{name}.jsonl.gz")
                   if not fitted(row["question"])][:most] for name in SETS}  # fmt: skip
    found = {name: {way: score(rows, ask) for way, ask in ways.items()}
             for name, rows in sets.items()}  # fmt: skip
    singles = [row["question"] for row in lines(here.data / "reading" / "nq_oracle.jsonl.gz")
               if not fitted(row["question"])][:most]  # fmt: skip
    alone = {way: fmean(ask(one).single for one in singles) for way, ask in ways.items()}
    bars = {
        f"{name}: sub-questions nearer to gold than the rules'":
            found[name]["fitted"]["overlap"] > found[name]["rules"]["overlap"]
        for name in SETS
    }  # fmt: skip
    return {
        "sets": found, "single questions": {"count": len(singles), "left alone": alone},
        "forms": forms(sets["2wiki"], ways["fitted"]), "bars": bars,
    }  # fmt: skip


def score(rows: Sequence[Row], ask: Ask) -> dict[str, float]:
    """Mean overlap, share with the right number of hops, ms a question."""
    start = time.perf_counter()
    found = [ask(row["question"]) for row in rows]
    seconds = time.perf_counter() - start
    # A gold `#1` and a gold name are the same to whoever asks: both are told as the text has them.
    near = [aligned(one.subquestions, row["subquestions"])
            for one, row in zip(found, rows, strict=True)]  # fmt: skip
    right = [one.hops == len(row["subquestions"]) for one, row in zip(found, rows, strict=True)]
    return {"count": len(rows), "overlap": round(fmean(near), 4), "hops right": round(
        fmean(right), 4), "ms": round(seconds / len(rows) * 1000, 2)}  # fmt: skip


def forms(rows: Sequence[Row], ask: Ask) -> dict[str, float]:
    """Share of each of 2Wiki's kinds whose form is told right."""
    kinds = [FORM[row["type"]] for row in rows]
    count = Counter(kinds)
    right = Counter(
        kind for row, kind in zip(rows, kinds, strict=True) if ask(row["question"]).form == kind
    )
    return {kind: round(right[kind] / count[kind], 4) for kind in sorted(count)}
