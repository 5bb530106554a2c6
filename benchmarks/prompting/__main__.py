"""`python -m benchmarks.prompting [run|render] [--quick] [--only NAME]...`: what steers the prompt.

Not here: what is measured (one file a part), how parts are run (benchmarks/runner.py).
"""

from __future__ import annotations

import sys

from benchmarks import machine, runner
from benchmarks.ground import ground

NAMES = (
    "multihop",
    "decomposition",
    "classification",
    "demonstrations",
    "adapter",
    "rewriting",
    "compression",
    "table_cutting",
    "peers",
)
PARTS = {name: (name, {}) for name in NAMES}


def prepare(quick: bool) -> None:
    ground(quick)


SUITE = runner.Suite(
    "benchmarks.prompting", PARTS, "prompting/results.json", prepare, machine.versions, None,
    3600.0,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(runner.main(SUITE, __doc__))
