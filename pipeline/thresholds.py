"""Finds a rule's numbers: the most right answers at a mean cost within the budget.

FrugalGPT's brute-force search in quantile space (arXiv 2305.05176), AutoMix's single and double
threshold and its meta-verifier's gain for a cost, IBC (2310.12963), one price for routers and
weighed cascades. Rules are tried on held-out predictions. Not here: making those (policy_fit.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.logistic import Matrix
from pipeline.rules import Always, AutoMix, Frugal, Meta, Mix, Router, Rule, Weighed, worth
from pipeline.view import Chain, Seen

GRID = (40, 20, 10)  # quantiles tried for each threshold, of one, two, three
PRICES = 161  # quantiles of break-even points
BINS = 8  # of a verifier's score: as many as AutoMix's samples can tell apart
_ROOM = 1 + 1e-9  # a budget is kept but for rounding


@dataclass(frozen=True, slots=True)
class Known:
    """A view, and what is known of its outcomes: right and cost, both (n, K) without gaps."""

    view: Seen
    right: Matrix
    cost: Matrix

    def result(self, rule: Rule) -> tuple[Matrix, Matrix]:
        """Right and paid of each row (n,), were the rule followed."""
        picks = rule(self.view)
        rows = np.arange(len(picks.chosen))
        return self.right[rows, picks.chosen], (self.cost * picks.called).sum(axis=1)

    def worth(self, rule: Rule) -> tuple[float, float]:
        """Accuracy and mean cost."""
        right, paid = self.result(rule)
        return float(right.mean()), float(paid.mean())


def best(known: Known, rules: Iterable[Rule], budget: float) -> Rule | None:
    """The rule of highest accuracy within the budget, the cheapest of equals; None: none fits."""
    found: tuple[float, float] | None = None
    chosen: Rule | None = None
    for rule in rules:
        accuracy, cost = known.worth(rule)
        if cost <= budget * _ROOM and (found is None or (accuracy, -cost) > found):
            found, chosen = (accuracy, -cost), rule
    return chosen


def fit_always(known: Known, budget: float) -> Rule | None:
    """The best single system."""
    return best(known, map(Always, range(known.right.shape[1])), budget)


def fit_mix(known: Known, budget: float) -> Rule | None:
    """The best random mixture of two systems: RouterBench's line between them."""
    accuracy, cost = known.right.mean(axis=0), known.cost.mean(axis=0)
    found: tuple[float, Rule] | None = None
    for cheap, strong in itertools.combinations(range(len(cost)), 2):
        if cost[cheap] > budget or cost[strong] <= cost[cheap]:
            continue
        share = min(1.0, float((budget - cost[cheap]) / (cost[strong] - cost[cheap])))
        reached = float(accuracy[cheap] + share * (accuracy[strong] - accuracy[cheap]))
        if found is None or reached > found[0]:
            found = reached, Mix(cheap, strong, share)
    return found[1] if found else None


def fit_router(known: Known, budget: float) -> Rule | None:
    """The price at which a router spends the budget; prices are the rows' own break-even points."""
    view = known.view
    points = [
        (view.wins[:, strong] - view.wins[:, cheap])
        / max(float(view.mean_cost[strong] - view.mean_cost[cheap]), 1e-12)
        for cheap, strong in itertools.combinations(range(known.right.shape[1]), 2)
    ]
    return best(known, map(Router, _prices(np.concatenate(points))), budget)


def fit_weighed(chain: Chain) -> Callable[[Known, float], Rule | None]:
    """The price of a weighed cascade over this chain."""

    def fit(known: Known, budget: float) -> Rule | None:
        points = [worth(known.view, chain[:n], chain[n:]) for n in range(1, len(chain))]
        prices = _prices(np.concatenate(points))
        return best(known, (Weighed(chain, price) for price in prices), budget)

    return fit


def _prices(points: Matrix) -> list[float]:
    """Quantiles of the break-even points that are worth paying, and more than all of them."""
    levels = np.unique(np.quantile(points, np.linspace(0, 1, PRICES)))
    return [float(one) for one in levels if one > 0] + [0.0, float(max(levels.max(), 0)) + 1.0]


def fit_frugal(chain: Chain, grid: int | None = None) -> Callable[[Known, float], Rule | None]:
    """The thresholds of FrugalGPT over this chain, every combination of quantiles tried."""

    def fit(known: Known, budget: float) -> Rule | None:
        scores = [known.view.after(chain[:n], chain[n - 1]) for n in range(1, len(chain))]
        right, cost = known.right[:, chain], np.cumsum(known.cost[:, chain], axis=1)
        tried = grid or GRID[min(len(scores), len(GRID)) - 1]
        levels = [_levels(score, tried) for score in scores]
        return best(known, (Frugal(chain, chosen) for chosen in
                            _within(scores, right, cost, levels, budget)), budget)  # fmt: skip

    return fit


def _levels(score: Matrix, grid: int) -> list[float]:
    """Quantiles of a score, and one above all: nobody stops."""
    found = np.unique(np.quantile(score, np.linspace(0, 1, grid)))
    return [*map(float, found), float(found[-1]) + 1.0]


def _within(
    scores: list[Matrix], right: Matrix, cost: Matrix, levels: list[list[float]], budget: float
) -> Iterator[tuple[float, ...]]:
    """Thresholds that keep the budget, each better than those before: few, so that each is tried.

    right: of the chain's systems (n, m); cost: summed up along the chain (n, m).
    """
    found = -1.0, -np.inf
    for chosen in itertools.product(*levels):
        stage = np.full(len(right), len(scores))
        for place in range(len(scores) - 1, -1, -1):
            stage[scores[place] >= chosen[place]] = place
        rows = np.arange(len(stage))
        paid = float(cost[rows, stage].mean())
        reached = float(right[rows, stage].mean()), -paid
        if paid <= budget * _ROOM and reached > found:
            found = reached
            yield chosen


def fit_automix(chain: Chain, double: bool) -> Callable[[Known, float], Rule | None]:
    """One or two thresholds on the verifier's score of the chain's first answer."""

    def fit(known: Known, budget: float) -> Rule | None:
        levels = _levels(known.view.support(chain[0]), GRID[0])
        lows = [-1.0, *levels] if double else [-1.0]
        bands = ((low, high) for low in lows for high in levels if low < high)
        return best(known, (AutoMix(chain, *band) for band in bands), budget)

    return fit


def fit_meta(chain: Chain) -> Callable[[Known, float], Rule | None]:
    """AutoMix's table of bins: those that gain most for their cost climb, while the budget lasts.

    Needy bins gain by climbing; good ones are right already, hopeless ones stay wrong.
    """

    def fit(known: Known, budget: float) -> Rule | None:
        score = known.view.support(chain[0])
        edges = np.unique(np.quantile(score, np.linspace(0, 1, BINS + 1)[1:-1]))
        place = np.searchsorted(edges, score, side="right")
        added = known.right[:, chain[1]] - known.right[:, chain[0]]
        bins = [b for b in range(len(edges) + 1) if (place == b).any()]
        ranked = sorted(bins, key=lambda b: -float(added[place == b].mean()))
        tables = (
            Meta(chain, tuple(map(float, edges)),
                 tuple(float(b in ranked[:n]) for b in range(len(edges) + 1)))
            for n in range(len(ranked) + 1)
        )  # fmt: skip
        return best(known, tables, budget)

    return fit


def ibc_lift(known: Known, rule: Rule, cheap: int, strong: int) -> float:
    """AutoMix's incremental benefit for a cost, over the line from cheap to strong: 0 is no gain.

    (P - P_cheap) / (C - C_cheap), divided by the same of the strong system, less 1.
    """
    accuracy, cost = known.worth(rule)
    low, low_cost = known.worth(Always(cheap))
    high, high_cost = known.worth(Always(strong))
    if cost <= low_cost or high <= low or high_cost <= low_cost:
        return 0.0
    slope = (high - low) / (high_cost - low_cost)
    return (accuracy - low) / (cost - low_cost) / slope - 1
