"""Fits the shipped weights: `python -m benchmarks.tableqa.fit --write`.

Questions from wtq_train alone, claims from all of tabfact, whose figure is measured by
cross-fitting (measure.py). Two processes, one a judge; seeded, so the same data gives the same
file. Not here: how (retrievers/tableqa/fitting.py).
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

from benchmarks.tableqa import records
from retrievers.tableqa.fitting import fit_claims, fit_questions
from retrievers.tableqa.weights import SHIPPED, Ranker, Weights


def questions(every: int = 1) -> Ranker:
    """The judge of questions, of every n-th of wtq_train."""
    return fit_questions(records.questions("train")[::every])


def claims(every: int = 1) -> Ranker:
    """The judge of claims, of every n-th of tabfact."""
    return fit_claims(records.claims()[::every])


def main() -> None:
    """Fits both and, with --write, replaces the shipped file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the shipped weights")
    parser.add_argument("--every", type=int, default=1, help="fit on every n-th example only")
    given = parser.parse_args()
    begin = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        asked, claimed = pool.submit(questions, given.every), pool.submit(claims, given.every)
        weights = Weights(asked.result(), claimed.result())
    print(f"fitted in {time.perf_counter() - begin:.0f} s")
    if given.write:
        weights.save(SHIPPED)
        print(f"wrote {SHIPPED}, {SHIPPED.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
