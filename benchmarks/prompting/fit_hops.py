"""`python -m benchmarks.prompting.fit_hops [--write]`: when is an answer made of hops right?

A logistic over the features of pipeline/hop_answer.py, on the half of 2Wiki's questions on which
decomposition was fitted too, so that the other half stays unseen. The hops' supports come from a
cross-encoder that has seen most of these documents: on others they may be less telling. Not here:
measuring (multihop.py).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.ground import ground
from benchmarks.prompting.fit_decomposition import fitted
from benchmarks.prompting.multihop import grades, questions, told, union
from pilotfish.types import Case
from pipeline.hop_answer import WEIGHTS
from pipeline.logistic import fit, probability
from verifiers.reread import HOPS

STRENGTH = 2.0
ENOUGH = 0.8  # F1 from which an answer counts as right, as in pipeline/evaluation


def features(case: Case) -> Mapping[str, float] | None:
    """Those of the tier that answered by hops, out of the trace."""
    if case.answer is None or case.answer.model != HOPS or not case.answer.text:
        return None
    seen = [event.detail.get("features") for event in case.trace if event.step == HOPS]
    return next((one for one in seen if isinstance(one, Mapping)), None)


def fitted_weights(rows: Sequence[tuple[Mapping[str, float], float]]) -> dict[str, float]:
    """The bias is `one`."""
    names = list(rows[0][0])
    design = np.array([[row[name] for name in names] for row, _ in rows])
    right = np.array([value for _, value in rows])
    weights = fit(design, right, STRENGTH)
    said = probability(np.c_[design, np.ones(len(design))] @ weights)
    print(f"{len(rows)} answers, {right.mean():.3f} right; "
          f"log loss {-np.log(np.where(right > 0, said, 1 - said)).mean():.3f}")  # fmt: skip
    return {name: round(float(w), 4) for name, w in zip([*names, "one"], weights, strict=True)}


def main() -> None:
    here = ground(False)
    library = union(here)
    asked = [one for one in questions(here) if fitted(one.text)]
    rows = []
    for one in asked:
        case = told(library, one, "multihop")
        seen = features(case)
        if seen is not None and case.answer is not None:
            rows.append((seen, float(grades(case.answer.text, one.answers)[0] >= ENOUGH)))
    weights = fitted_weights(rows)
    print(weights)
    if "--write" in sys.argv:
        made = {"made by": "benchmarks/prompting/fit_hops.py", "answers": len(rows),
                "weights": weights}  # fmt: skip
        WEIGHTS.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
