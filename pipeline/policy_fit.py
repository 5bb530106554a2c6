"""Learns a policy from recorded rows: fits every rule, compares them on held-out folds, is honest.

Where no learned rule beats the best single system and the random mixture at the same budget, the
baseline is what ships. Not here: rules (rules.py), searches (thresholds.py), the file (policy.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from pilotfish.errors import InputError
from pipeline.automix import Verify
from pipeline.hardness import fit_hardness, gain
from pipeline.held_out import asked, chains, held_out
from pipeline.logistic import Logistic, Matrix
from pipeline.outcomes import FOLDS, Outcomes
from pipeline.policy import Encoded, Policy, chain_name
from pipeline.rules import Always, Rule
from pipeline.stop import Embed, Readings
from pipeline.thresholds import (
    Known,
    fit_always,
    fit_automix,
    fit_frugal,
    fit_meta,
    fit_mix,
    fit_router,
    fit_weighed,
)
from pipeline.view import Chain

Fit = Callable[[Known, float], Rule | None]
BASELINES = ("always", "mix")
UNREAD = (*BASELINES, "router")  # rules that read no answer
_OVERSPENT = 1.03  # of the budget, on folds that the threshold was not sought on
_CHEAPER = 0.97  # of a baseline's cost: an equal accuracy for less is a gain too


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule's held-out outcomes (n,); `name` is how the file calls it."""

    name: str
    right: Matrix
    paid: Matrix

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @property
    def cost(self) -> float:
        return float(self.paid.mean())


def fit_policy(
    recorded: Outcomes, budget: float, embed: Embed, encoded: Encoded, verify: Verify
) -> Policy:
    """The policy of highest held-out accuracy at this mean cost; InputError: nothing fits it."""
    check_budget(recorded, budget)
    known = held_out(recorded, embed, verify)
    fits = candidates(recorded)
    tried = [cross_validated(name, fit, known, recorded, budget) for name, fit in fits.items()]
    chosen, why = choose(tried, budget)
    unread, _ = choose([one for one in tried if one.name in UNREAD], budget)
    rule, by_prompt = (sought(fits[one.name], known, budget) for one in (chosen, unread))
    return Policy(
        recorded.systems, recorded.mean_cost, recorded.accuracy, rule, by_prompt,
        fit_hardness(recorded.systems, recorded.prompts,
                     embed(recorded.prompts).astype(np.float64), recorded.right),
        _judges(recorded, rule, embed), encoded,
        np.quantile(gain(known.view.wins), np.linspace(0, 1, 21)),
        _report(recorded, budget, tried, chosen, why),
    )  # fmt: skip


def check_budget(recorded: Outcomes, budget: float) -> None:
    """InputError when not even the cheapest system fits."""
    least = float(recorded.paid.mean(axis=0).min())
    if not budget > 0 or not np.isfinite(budget):
        raise InputError(f"budget {budget:g} is no mean cost: give a number above 0")
    if budget < least * (1 - 1e-6):
        name = recorded.systems[int(recorded.paid.mean(axis=0).argmin())]
        raise InputError(
            f"budget {budget:g} is too small: the cheapest system, {name}, costs {least:.6g} on "
            f"average: give --budget {least:.3g} or more"
        )


def candidates(recorded: Outcomes) -> dict[str, Fit]:
    """Name -> how its numbers are sought. The baselines come first."""
    fits: dict[str, Fit] = {"always": fit_always, "mix": fit_mix}
    if len(recorded.systems) > 1:
        fits["router"] = fit_router
    for chain in chains(recorded):
        name = chain_name(recorded.systems, chain)
        fits[f"frugal: {name}"] = fit_frugal(chain)
        fits[f"weighed: {name}"] = fit_weighed(chain)
        if len(chain) == 2:
            fits[f"automix: {name}"] = fit_automix(chain, double=False)
            fits[f"automix, double: {name}"] = fit_automix(chain, double=True)
            fits[f"automix, table: {name}"] = fit_meta(chain)
    return fits


def sought(fit: Fit, known: Known, budget: float) -> Rule:
    """The rule with its numbers; the cheapest system where none keeps the budget on these rows."""
    return fit(known, budget) or Always(int(known.cost.mean(axis=0).argmin()))


def cross_validated(name: str, fit: Fit, known: Known, recorded: Outcomes, budget: float) -> Tried:
    """Each fold by numbers that were sought on the others."""
    right, paid = np.empty(len(known.right)), np.empty(len(known.right))
    for fold in range(FOLDS):
        test = recorded.folds == fold
        if test.any():
            rule = sought(fit, part(known, ~test), budget)
            right[test], paid[test] = part(known, test).result(rule)
    return Tried(name, right, paid)


def part(known: Known, rows: np.ndarray) -> Known:
    """Some rows of what is known."""
    return Known(known.view.only(rows), known.right[rows], known.cost[rows])


def choose(tried: list[Tried], budget: float) -> tuple[Tried, str]:
    """What ships, and why. A learned rule must beat the baseline by over one standard error, or be
    as accurate and cheaper.
    """
    fitting = [one for one in tried if one.cost <= budget * _OVERSPENT] or tried[:1]
    plain = max((one for one in fitting if one.name in BASELINES), default=tried[0],
                key=lambda one: (one.accuracy, -one.cost))  # fmt: skip
    learned = [one for one in fitting if one.name not in BASELINES]
    if not learned:
        return plain, "only baselines fit the budget"
    top = max(learned, key=lambda one: one.accuracy)
    best = min((one for one in learned if one.accuracy >= top.accuracy - _error(one, top) / 2),
               key=lambda one: (one.cost > top.cost * _CHEAPER, -one.accuracy))  # fmt: skip
    for one in (best, top):
        ahead, error = one.accuracy - plain.accuracy, _error(one, plain)
        told = f"{one.accuracy:.4f} against {plain.accuracy:.4f} of {plain.name} ({error:.4f} s.e.)"
        if ahead > error:
            return one, f"beats the best baseline on held-out folds: {told}"
        if ahead >= 0 and one.cost <= plain.cost * _CHEAPER:
            return one, f"as accurate as the best baseline for less: {told}"
    return plain, f"no learned rule beats it on held-out folds: the best has {told}"


def _error(one: Tried, other: Tried) -> float:
    """Standard error of the paired difference in accuracy."""
    return float((one.right - other.right).std() / np.sqrt(len(one.right)))


def _judges(recorded: Outcomes, rule: Rule, embed: Embed) -> dict[tuple[Chain, int], Logistic]:
    """The judges that this rule asks for, fitted on all rows."""
    chain: Chain = getattr(rule, "chain", ())
    if rule.kind not in {"frugal", "weighed"}:
        return {}
    everything = np.ones(len(recorded.prompts), bool)
    found = {}
    for prefix, target in asked([chain]):
        if rule.kind == "frugal" and target != prefix[-1]:
            continue
        readings = Readings.of(recorded.prompts, recorded.texts, prefix, embed)
        judge = readings.fit(recorded.right[:, target], everything)
        if judge is not None:
            found[prefix, target] = judge
    return found


def _report(
    recorded: Outcomes, budget: float, tried: list[Tried], chosen: Tried, why: str
) -> dict[str, object]:
    """What the file says for people; nothing of it is read again."""
    rows = [
        {"rule": one.name, "accuracy": round(one.accuracy, 4), "mean_cost": _short(one.cost),
         "keeps_budget": one.cost <= budget * _OVERSPENT}
        for one in sorted(tried, key=lambda one: -one.accuracy)
    ]  # fmt: skip
    singles = [
        {"rule": f"always {name}", "accuracy": round(float(a), 4), "mean_cost": _short(float(c))}
        for name, a, c in zip(recorded.systems, recorded.accuracy, recorded.mean_cost, strict=True)
    ]
    return {
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "rows": len(recorded.prompts),
        "folds": f"{FOLDS}, {'by group' if recorded.grouped else 'by prompt'}",
        "budget": budget,
        "why": f"{chosen.name}: {why}",
        "expected": {"accuracy": round(chosen.accuracy, 4), "mean_cost": _short(chosen.cost)},
        "compared": rows,
        "single_systems": singles,
    }


def _short(value: float) -> float:
    return float(f"{value:.4g}")
