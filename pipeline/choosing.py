"""Uses a policy: which system a prompt goes to, which are called on the way, and because of what.

Rows with answers are walked as a cascade would: an answer's text is read only once its system is
called. Rows without are routed by the prompt alone. Not here: learning (policy_fit.py), calling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from pipeline import stop
from pipeline.automix import Verify
from pipeline.hardness import gain
from pipeline.logistic import Matrix
from pipeline.policy import Policy
from pipeline.recorded import Row
from pipeline.stop import Embed, Readings, support_of
from pipeline.view import Chain, Mask, luck


@dataclass(frozen=True, slots=True)
class Choice:
    """score: 0 to 1, the more it asks for a stronger system, by what was read."""

    id: str
    choice: str
    score: float
    because: str
    called: tuple[str, ...]


@dataclass(frozen=True)
class Live:
    """The View of new rows; judges are asked when a rule looks."""

    policy: Policy
    rows: Sequence[Row]
    embed: Embed
    verify: Verify
    read: dict[tuple[Chain, int], Matrix] = field(default_factory=dict)

    @cached_property
    def prompts(self) -> list[str]:
        return [row.prompt for row in self.rows]

    @cached_property
    def vectors(self) -> Matrix:
        return self.embed(self.prompts).astype(np.float64)

    @cached_property
    def offered(self) -> Mask:
        """All systems that the row names; all of them where it names none of ours."""
        named = [[system in row.tried for system in self.policy.systems] for row in self.rows]
        found = np.array(named, bool).reshape(len(self.rows), len(self.policy.systems))
        found[~found.any(axis=1)] = True
        return found

    @property
    def mean_cost(self) -> Matrix:
        return self.policy.mean_cost

    @cached_property
    def luck(self) -> Matrix:
        return luck(self.prompts)

    @cached_property
    def wins(self) -> Matrix:
        return self.policy.hardness.wins(self.prompts, self.vectors)

    @cached_property
    def texts(self) -> list[list[str | None]]:
        return [[row.text(system) for system in self.policy.systems] for row in self.rows]

    def after(self, prefix: Chain, target: int) -> Matrix:
        if (prefix, target) not in self.read:
            found = self.wins[:, target].copy()
            judge = self.policy.judges.get((prefix, target))
            if judge is not None:
                readings = Readings.of(self.prompts, self.texts, prefix, self.embed)
                found = readings.judge(judge, np.ones(len(self.rows), bool), found)
            self.read[prefix, target] = found
        return self.read[prefix, target]

    def support(self, system: int) -> Matrix:
        return support_of(self.prompts, [row[system] for row in self.texts], self.verify)


def choose(policy: Policy, rows: Sequence[Row], embed: Embed, verify: Verify) -> list[Choice]:
    """One choice a row, in order. Rows of which no answer can be read go by the prompt alone."""
    chain: Chain = getattr(policy.rule, "chain", ())
    firsts = [policy.systems[k] for k in chain[:-1]]
    readable = [any(row.text(name) is not None for name in firsts) for row in rows]
    unread = replace(policy, rule=policy.by_prompt) if firsts else policy
    found: dict[int, Choice] = {}
    for used, wanted in ((policy, True), (unread, False)):
        places = [place for place, there in enumerate(readable) if there is wanted]
        some = _chosen(Live(used, [rows[place] for place in places], embed, verify))
        found.update(zip(places, some, strict=True))
    return [found[place] for place in range(len(rows))]


def _chosen(view: Live) -> list[Choice]:
    """One choice a row of the view."""
    if not view.rows:
        return []
    policy, picks, hardness = view.policy, view.policy.rule(view), gain(view.wins)
    found = []
    for number, row in enumerate(view.rows):
        called = tuple(int(k) for k in np.flatnonzero(picks.called[number]))
        score, why = _explained(view, number, called, float(hardness[number]))
        names = tuple(policy.systems[k] for k in called)
        chosen = policy.systems[picks.chosen[number]]
        found.append(Choice(row.id, chosen, round(score, 6), why, names))
    return found


def _explained(view: Live, number: int, called: Chain, hardness: float) -> tuple[float, str]:
    """(score, because) of one row, by the last thing that the rule looked at."""
    policy, rule = view.policy, view.policy.rule
    chain: Chain = getattr(rule, "chain", ())
    prefix = _judged(view, number, chain, called)
    if not prefix:
        return hardness, _by_prompt(view, number)
    name = policy.systems[prefix[-1]]
    if rule.kind in {"automix", "meta"}:
        score = float(view.support(prefix[-1])[number])
        return 1 - score, f"{rule.kind}: the verifier gives {name} {score:.2f}"
    own = float(view.after(prefix, prefix[-1])[number])
    told = f"{rule.kind}: having read {name}, P(right) is {own:.2f}"
    score = 1 - own
    if rule.kind == "weighed":
        odds = {k: float(view.after(prefix, k)[number]) for k in chain[len(prefix) :]}
        after, other = max(odds.items(), key=lambda one: one[1])
        told += f", {policy.systems[after]} would be {other:.2f}"
        score = (other - own + 1) / 2
    return score, f"{told}: {_features(view, number, prefix)}"


def _judged(view: Live, number: int, chain: Chain, called: Chain) -> Chain:
    """The prefix whose last answer was the last to be read; empty when none was."""
    places = [n for n, k in enumerate(chain[:-1]) if k in called]
    if not places or view.texts[number][chain[places[-1]]] is None:
        return ()
    return chain[: places[-1] + 1]


def _features(view: Live, number: int, prefix: Chain) -> str:
    judge = view.policy.judges.get((prefix, prefix[-1]))
    if judge is None:
        return "by the prompt alone"
    said = tuple(t for k in prefix if (t := view.texts[number][k]) is not None)
    one = stop.Read(view.prompts[number], said)
    return stop.because(judge, one, stop.vectors_of([one], view.embed)[0])


def _by_prompt(view: Live, number: int) -> str:
    """The systems' odds, and the features that speak for the strongest or against it."""
    policy = view.policy
    odds = ", ".join(f"{name} {p:.2f}" for name, p in
                     zip(policy.systems, view.wins[number], strict=True))  # fmt: skip
    if len(policy.systems) == 1:
        return f"{policy.rule.kind}: P(right) by the prompt: {odds}"
    ends = policy.systems[0], policy.systems[-1]
    parts = policy.hardness.because(view.prompts[number], view.vectors[number], *ends)
    return f"{policy.rule.kind}: P(right) by the prompt: {odds}; for {ends[1]}: {parts}"
