"""Questions and claims over one table, without an LLM (benchmarks/tableqa/measure.py).

Not here: fitting the weights (benchmarks/tableqa/fit.py).
"""

from __future__ import annotations

from typing import Any

from benchmarks.ground import Ground
from benchmarks.tableqa.measure import measure as measured


def measure(here: Ground) -> dict[str, Any]:
    """Both figures, and the bars."""
    found = measured(20 if here.quick else 1)
    asked, claims = found["questions"], found["claims"]
    return {
        "questions": asked, "claims": claims,
        "bars": {
            "WTQ: 0.80 right at 20 % answered": asked["coverage_at_80"] >= 0.2,
            "WTQ: as right as published parsers of 2017 (0.37)": asked["accuracy"] >= 0.37,
            "TabFact: 0.66 right at full coverage": claims["accuracy"] >= 0.66,
            "TabFact: 0.85 right of the surest quarter": claims["accuracy_at_25"] >= 0.85,
        },
    }  # fmt: skip
