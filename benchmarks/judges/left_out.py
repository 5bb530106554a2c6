"""What the judges say of sets that the cross-encoder itself never saw.

    python -m models.training fit A --steps N --without scifact,wice,2wiki
    python -m models.training fit B --steps N --without fever_symmetric,begin,halueval_qa
    python -m benchmarks.judges.left_out A B

Each set is judged by the network that was trained without it, under a judge fitted on the other
sets; the other network saw it and stands beside. The first also reranks what it
never saw. Written into results.json, since the trainings take an hour. Not here: training.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.ground import SETS, Ground, ground
from benchmarks.judges import reranking, rows, support
from benchmarks.runner import HERE
from models.encoders import Encoders
from models.pilot.serve import GRAPH, Pilot
from models.training import ship, sources
from pipeline.parts import Memo
from verifiers.verdict import over

BAR = 0.72
RESULTS = HERE / "judges" / "results.json"


def measure(works: list[Path], here: Ground) -> dict[str, Any]:
    """Means and bars; `works` are the two folders of training."""
    networks = {work: (served(work), _plan(work)) for work in works}
    sets = _supports({work: one for work, (one, _) in networks.items()},
                     {work: set(plan["without"]) for work, (_, plan) in networks.items()},
                     60 if here.quick else rows.LIMIT)  # fmt: skip
    mean = float(np.mean([sets[name]["never seen"] for name in rows.COUNTED]))
    first, plan = networks[works[0]]
    reranked = _reranked(first, here, set(plan["without"]))
    return {
        "sets": sets, "mean": round(mean, 4),
        "steps": [each["steps"] for _, each in networks.values()],
        "without": [each["without"] for _, each in networks.values()], "reranking": reranked,
        "bars": {
            f"leave-one-set-out mean AUROC of support at least {BAR}": mean >= BAR,
            **{f"reranking without {', '.join(plan['without'])}: {bar}": met
               for bar, met in reranked.pop("bars").items()},
        },
    }  # fmt: skip


def served(work: Path) -> Pilot:
    """The network of the last checkpoint, as it would be shipped."""
    folder = work / "served"
    if not (folder / GRAPH).exists():
        folder.mkdir(exist_ok=True)
        ship.compiled(work, folder)
        ship.written(work, folder)
    return Pilot(folder)


def _plan(work: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((work / "plan.json").read_text(encoding="utf-8"))
    return found


def _supports(
    networks: dict[Path, Pilot], without: dict[Path, set[str]], limit: int
) -> dict[str, dict[str, float]]:
    """set -> AUROC where the network and the judge over it never saw it, and where it did."""
    embed = Memo(Encoders()("all-MiniLM-L6-v2"))
    tables = {
        work: support.by_set(support.gathered(limit, over(embed, pilot))[0])
        for work, pilot in networks.items()
    }
    found: dict[str, dict[str, float]] = {}
    for name in rows.SETS:
        blind = [table[name] for work, table in tables.items()
                 if name in without[work] or name in sources.UNLICENSED]  # fmt: skip
        seen = [table[name] for work, table in tables.items() if name not in without[work]]
        line = {"never seen": _mean(blind, "left out"), "seen by the network": _mean(seen, "judge")}
        line |= {column: blind[0][column] for column in ("simple logistic", "overlap", "cosine")}
        found[name] = line
    return found


def _mean(rows: list[dict[str, float]], column: str) -> float:
    return round(float(np.mean([row[column] for row in rows])), 4)


def _reranked(model: Pilot, here: Ground, without: set[str]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name in SETS:
        judged = here.retrieval_set(name)
        fresh = set(judged.qrels) if name in without else reranking.unseen(name, judged)
        table[name] = reranking.one_set(here.collection(name), judged, fresh, model)
    return reranking.summed(table)


def main() -> None:
    """Measure and merge into results.json; `python -m benchmarks.judges render` writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("works", type=Path, nargs=2)
    options = parser.parse_args()
    record: dict[str, Any] = {
        "date": machine.now(), "machine": machine.facts(), "versions": machine.versions(),
        "quick": False, "command": "python -m benchmarks.judges.left_out A B",
    }  # fmt: skip
    begun = time.perf_counter()
    record["result"] = measure(options.works, ground(False))
    record["seconds"] = round(time.perf_counter() - begun, 1)
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept["left_out"] = record
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(record["result"], indent=1) + "\n")


if __name__ == "__main__":
    main()
