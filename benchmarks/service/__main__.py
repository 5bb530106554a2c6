"""`python -m benchmarks.service [run|render] [--quick] [--only NAME]...`: measures the service.

Real processes of the command line, a real Redis and Postgres, a real LLM server over the wire,
at most two cores for all of them together. Not here: what is measured (one file a part), how
parts are run (benchmarks/runner.py).
"""

from __future__ import annotations

import sys

from benchmarks import runner
from benchmarks.ground import ground
from benchmarks.service.stand import versions

# name -> (module, arguments of its `measure`); each ends within some minutes.
PARTS: dict[str, tuple[str, dict[str, object]]] = {
    "speed_plain": ("speed", {"recipe": "plain"}),
    "speed_default": ("speed", {"recipe": "default"}),
    "alone": ("alone", {}),
    "latency": ("latency", {}),
    "accept": ("accept", {}),
    "fairness": ("fairness", {}),
    "throughput_1": ("throughput", {"workers": 1}),
    "throughput_2": ("throughput", {"workers": 2}),
    "throughput_4": ("throughput", {"workers": 4}),
    "faults_1": ("faults", {"seed": 1}),
    "faults_2": ("faults", {"seed": 2}),
    "faults_3": ("faults", {"seed": 3}),
    "faults_hold": ("faults", {"seed": 1, "on_unknown": "hold"}),
    "faults_sqlite": ("faults", {"seed": 2, "postgres": False}),
    "tenants": ("tenants", {}),
}
CORES, LIMIT = 2, 1800.0


def prepare(quick: bool) -> None:
    """The collection that all parts copy."""
    ground(quick).collection("scifact").database.close()


SUITE = runner.Suite(
    "benchmarks.service", PARTS, "service/results.json", prepare, versions, CORES, LIMIT
)

if __name__ == "__main__":
    sys.exit(runner.main(SUITE, __doc__))
