"""`python -m benchmarks.judges [run|render] [--quick] [--only NAME]...`: the small judges.

Not here: what is measured (one file a part), how parts are run (benchmarks/runner.py).
"""

from __future__ import annotations

import sys

from benchmarks import machine, runner
from benchmarks.ground import ground

NAMES = ("support", "rules", "reading", "reranking", "pruning", "endtoend", "disagreeing",
         "sampling")  # fmt: skip
PARTS = {name: (name, {}) for name in NAMES}


def prepare(quick: bool) -> None:
    ground(quick)


SUITE = runner.Suite(
    "benchmarks.judges", PARTS, "judges/results.json", prepare, machine.versions, None, 3600.0
)

if __name__ == "__main__":
    sys.exit(runner.main(SUITE, __doc__))
