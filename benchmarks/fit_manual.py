"""Fits the weights of retrievers/manuals/scope.py: which pages a request for a command needs.

Every gold page is to outscore all pages that are not (softmax over them, log loss). What is
shipped is fitted on all requests; what is reported is measured on commands left out: five folds
over utilities, and no request with a utility of the fold is fitted on. Requests weigh by how
rare their utilities are, since `find` stands in three of five. Not here: the baselines
(manuals.py).

    .venv/bin/python -m benchmarks.fit_manual WORKSPACE
"""

from __future__ import annotations

import json
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ground import ROOT, opened
from benchmarks.manuals import Asked, Gold, data_tree, pages_of, placed, reached, requests
from pipeline.library import Library
from retrievers.manuals.scope import FEATURES

Floats = NDArray[np.float32]
OUT = ROOT / "retrievers" / "manuals" / "weights.json"
# Where the search for candidates starts; only who is compared depends on it.
START = {"description": 1.0, "sections": 1.0, "words": 0.7, "prose": 0.5, "name": 1.0,
         "rare_name": 2.0, "standard": 1.5, "other": -4.0, "in_code": 0.4}  # fmt: skip
CANDIDATES, FOLDS, RARITY = 200, 5, 0.6
STEPS, BATCH, RATE, DECAY = 800, 256, 0.03, 1e-3


@dataclass(frozen=True, slots=True)
class Rows:
    """Of each request its candidates: features, which are gold, their places, its weight."""

    features: Floats  # requests x candidates x features
    gold: NDArray[np.bool_]
    places: NDArray[np.int64]
    weight: Floats
    asked: Sequence[Asked]


def rows_of(laid: Any, encode: Callable[[Sequence[str]], Floats], asked: Sequence[Asked]) -> Rows:
    """The features as the product computes them."""
    scope = laid.scope
    start = np.array([START.get(name, 0.0) for name in FEATURES], dtype=np.float32)
    kept, gold, places = [], [], []
    for at in range(0, len(asked), 256):
        some = asked[at : at + 256]
        for one, vector in zip(some, encode([o.text for o in some]), strict=True):
            features = scope.features(one.text, scope.near(vector))
            top = np.argpartition(-(features @ start), CANDIDATES)[:CANDIDATES]
            mine = np.isin(top, list(one.pages))
            lost = [page for page in one.pages if page not in set(top[mine].tolist())]
            top[np.flatnonzero(~mine)[: len(lost)]] = lost
            kept.append(features[top])
            gold.append(np.isin(top, list(one.pages)))
            places.append(top)
        print(f"  {at + len(some)} requests", file=sys.stderr, flush=True)
    count = counts(asked)
    weight = [fmean(count[u] ** -RARITY for u in one.utilities) for one in asked]
    return Rows(np.stack(kept), np.stack(gold), np.stack(places),
                np.array(weight, dtype=np.float32), asked)  # fmt: skip


def counts(asked: Sequence[Asked]) -> dict[str, int]:
    """How many requests need each utility."""
    found: dict[str, int] = defaultdict(int)
    for one in asked:
        for utility in one.utilities:
            found[utility] += 1
    return found


def fitted(rows: Rows, train: NDArray[np.int64]) -> Floats:
    """The weights by Adam; the same for the same rows."""
    random = np.random.default_rng(0)
    weights, mean, square = (np.zeros(len(FEATURES)) for _ in range(3))
    for step in range(1, STEPS + 1):
        batch = train[random.integers(len(train), size=BATCH)]
        slope = _slope(rows, batch, weights) + DECAY * weights
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        moved = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        weights = weights - RATE * (1 - step / (STEPS + 1)) * moved
    return weights.astype(np.float32)


def _slope(rows: Rows, batch: NDArray[np.int64], weights: NDArray[np.float64]) -> Any:
    """Gradient of sum over gold pages of log(1 + sum of exp(other - gold))."""
    x, y, w = rows.features[batch], rows.gold[batch], rows.weight[batch]
    scores = x @ weights
    others = np.where(y, -np.inf, scores)
    top = others.max(axis=1, keepdims=True)
    share = np.exp(others - top)
    total = share.sum(axis=1, keepdims=True)
    against = (top + np.log(total)) - scores  # log of all others over each page
    miss = np.where(y, 1 / (1 + np.exp(-np.clip(against, -30, 30))), 0.0) * w[:, None]
    pull = miss.sum(axis=1, keepdims=True) * share / total - miss
    return np.einsum("qc,qcf->f", pull, x) / w.sum()


def held_out(rows: Rows, each: int = 1) -> dict[str, float]:
    """The macro and "not find" figures of manuals.py, by weights that never saw the utility.

    Only those: a request that needs utilities of several folds is ranked, and counted, once for
    each. each: of every so many-th request; all are fitted on.
    """
    fold = {utility: zlib.crc32(utility.encode()) % FOLDS for utility in counts(rows.asked)}
    found: list[tuple[Gold, Sequence[int]]] = []  # a request once a fold that it has a utility of
    for number in range(FOLDS):
        left = [any(fold[u] == number for u in one.utilities) for one in rows.asked]
        weights = fitted(rows, np.flatnonzero(~np.array(left)))
        for at in (at for at in np.flatnonzero(left).tolist() if at % each == 0):
            one = rows.asked[at]
            mine = tuple(u for u in one.utilities if fold[u] == number)
            order = np.argsort(-(rows.features[at] @ weights), kind="stable")[:10]
            gold = Gold(one.pages, mine, one.command)
            found.append((gold, rows.places[at][order].tolist()))
    kept = ("macro", "not find")
    return {name: value for name, value in reached(found).items() if name.startswith(kept)}


def rows_in(library: Library, tree: Path, each: int = 1) -> Rows:
    """The rows of every `each`-th request over an added collection of pages."""
    laid, places = pages_of(library)
    asked = placed(requests(tree)[::each], places)
    encoder = library.encoder
    return rows_of(laid, lambda texts: encoder.encode(texts, kind="query"), asked)


def main(workspace: Path) -> None:
    library = opened(workspace)
    rows = rows_in(library, data_tree())
    measured = held_out(rows)
    print(json.dumps(measured, indent=1))
    weights = fitted(rows, np.arange(len(rows.asked)))
    kept = {name: round(float(one), 4) for name, one in zip(FEATURES, weights, strict=True)}
    told = {
        "fitted by": "benchmarks/fit_manual.py on commands/nl2bash over commands/pages",
        "held out": {name: round(one, 3) for name, one in measured.items()},
        "weights": kept,
    }
    OUT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
