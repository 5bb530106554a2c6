"""`python -m benchmarks.structured [run|render] [--quick] [--only NAME]...`: graphs, tables, SQL.

Not here: what is measured (one file a part), how parts are run (benchmarks/runner.py).
"""

from __future__ import annotations

import sys

from benchmarks import machine, runner
from benchmarks.ground import ground

NAMES = (
    "graphs",
    "answers",
    "finding",
    "databases",
    "manuals",
    "prompts",
    "large",
    "routed",
    "prose",
)
PARTS = {name: (name, {}) for name in NAMES}


def prepare(quick: bool) -> None:
    ground(quick)


SUITE = runner.Suite(
    "benchmarks.structured", PARTS, "structured/results.json", prepare, machine.versions, None,
    3600.0,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(runner.main(SUITE, __doc__))
