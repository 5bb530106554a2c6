"""`python -m benchmarks [run|render] [--quick] [--only NAME]...`: measures, merges, renders.

Without a service; that is `python -m benchmarks.service`. Not here: what is measured (one file
a part), how parts are run (runner.py).
"""

from __future__ import annotations

import sys

from benchmarks import machine, runner
from benchmarks.ground import ground

# Indexing first: it is timed on an idle machine. Each makes the collections it lacks.
PARTS = (
    "indexing", "searching", "cold", "scaling", "splitting", "answering", "retrieval",
    "routing", "repair", "guard",
)  # fmt: skip


def prepare(quick: bool) -> None:
    ground(quick, sweep=True)


SUITE = runner.Suite(
    "benchmarks", {name: (name, {}) for name in PARTS}, "results.json", prepare, machine.versions
)

if __name__ == "__main__":
    sys.exit(runner.main(SUITE, __doc__))
