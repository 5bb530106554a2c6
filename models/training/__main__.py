"""`python -m models.training fit WORK [--steps N] [--onward] [--without SET,SET]`; `ship WORK`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from models.training.fit import Plan, fit


def main(arguments: list[str]) -> int:
    """Train or ship, by the first word."""
    parser = argparse.ArgumentParser(prog="python -m models.training")
    parser.add_argument("what", choices=["fit", "data", "ship"])
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=Plan().steps)
    parser.add_argument("--tokens", type=int, default=Plan().tokens)
    parser.add_argument("--seed", type=int, default=Plan().seed)
    parser.add_argument("--without", default="", help="sets to leave out of training")
    parser.add_argument("--onward", action="store_true", help="go on from the shipped weights")
    parser.add_argument("--rate", type=float, default=Plan().rate, help="peak learning rate")
    given = parser.parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    without = tuple(name for name in given.without.split(",") if name)
    if given.what == "data":
        from models.training import mixture

        found = mixture.mixture(given.seed * 1000, given.work, without)
        sys.stdout.write(f"{mixture.counted(found)}\n{len(found)} examples\n")
    elif given.what == "fit":
        plan = Plan(given.steps, given.tokens, given.rate, seed=given.seed, without=without,
                    onward=given.onward)  # fmt: skip
        fit(plan, given.work)
    else:
        from models.training.ship import ship

        sys.stdout.write(f"{ship(given.work)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
