"""Rules on a toy where each choice is known; searches against trying everything."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from pipeline import rules
from pipeline.rules import Always, AutoMix, Frugal, Meta, Mix, Router, Rule, Weighed
from pipeline.thresholds import (
    Known,
    fit_always,
    fit_automix,
    fit_frugal,
    fit_meta,
    fit_mix,
    fit_router,
    fit_weighed,
    ibc_lift,
)
from pipeline.view import Chain, Seen, luck

SYSTEMS = ("small", "middle", "large")
COST = np.array([1.0, 3.0, 10.0])


def known(count: int = 120, seed: int = 0) -> Known:
    """Outcomes at random, predictions that know something of them."""
    random = np.random.default_rng(seed)
    hard = random.random(count)
    right = (random.random((count, 3)) > hard[:, None] * [1.0, 0.7, 0.3]).astype(float)
    noise = random.normal(0, 0.2, (count, 3))
    wins = np.clip(0.5 * right + 0.25 + noise, 0, 1)
    pairs = [((0,), 0), ((0,), 1), ((0,), 2), ((1,), 1), ((1,), 2), ((0, 1), 1), ((0, 1), 2)]
    read = {(p, t): np.clip(wins[:, t] + random.normal(0, 0.1, count), 0, 1) for p, t in pairs}
    offered = np.ones((count, 3), bool)
    view = Seen(offered, COST, random.random(count), wins, read, {0: wins[:, 0], 1: wins[:, 1]})
    return Known(view, right, np.tile(COST, (count, 1)))


def seen(after: dict[tuple[Chain, int], list[float]], offered: list[list[int]]) -> Seen:
    count = len(offered)
    return Seen(np.array(offered, bool), COST, np.linspace(0, 0.9, count),
                np.tile([0.3, 0.2, 0.1], (count, 1)),
                {key: np.array(value) for key, value in after.items()})  # fmt: skip


def test_frugal_stops_where_the_score_reaches_its_stages_threshold() -> None:
    view = seen({((0,), 0): [0.9, 0.5, 0.5], ((0, 1), 1): [0.0, 0.7, 0.2]}, [[1, 1, 1]] * 3)
    picks = Frugal((0, 1, 2), (0.9, 0.7))(view)
    assert picks.chosen.tolist() == [0, 1, 2]
    assert picks.called.tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_a_cascade_passes_over_what_a_row_does_not_offer() -> None:
    view = seen({((0,), 0): [0.0] * 3, ((0, 1), 1): [0.0] * 3},
                [[1, 0, 1], [0, 1, 0], [1, 0, 0]])  # fmt: skip
    picks = Frugal((0, 1, 2), (0.5, 0.5))(view)
    assert picks.chosen.tolist() == [2, 1, 0]
    assert not (picks.called & ~view.offered).any()


def test_nothing_of_the_chain_offered_falls_back_to_the_prompt() -> None:
    view = seen({((0,), 0): [0.0]}, [[0, 0, 1]])
    assert Frugal((0, 1), (0.5,))(view).chosen.tolist() == [2]


def test_automix_climbs_in_its_middle_band_alone() -> None:
    view = seen({}, [[1, 1, 1]] * 4)
    view = Seen(view.offered, COST, view.luck, view.wins, {}, {0: np.array([0.1, 0.4, 0.6, 0.9])})
    assert AutoMix((0, 2), -1.0, 0.6)(view).chosen.tolist() == [2, 2, 0, 0]
    assert AutoMix((0, 2), 0.4, 0.9)(view).chosen.tolist() == [0, 2, 2, 0]
    assert Meta((0, 2), (0.5,), (0.0, 1.0))(view).chosen.tolist() == [0, 0, 2, 2]


def test_weighed_climbs_for_gain_and_leaves_the_hopeless() -> None:
    view = seen({((0,), 0): [0.2, 0.1, 0.9], ((0,), 2): [0.9, 0.15, 1.0]}, [[1, 1, 1]] * 3)
    assert Weighed((0, 2), 0.05)(view).chosen.tolist() == [2, 0, 0]
    assert Weighed((0, 2), 1.0)(view).chosen.tolist() == [0, 0, 0]


def test_weighed_goes_through_a_useless_system_to_a_useful_one() -> None:
    read = {((0,), 0): [0.2], ((0,), 1): [0.1], ((0,), 2): [0.9],
            ((0, 1), 1): [0.1], ((0, 1), 2): [0.9]}  # fmt: skip
    assert Weighed((0, 1, 2), 0.02)(seen(read, [[1, 1, 1]])).chosen.tolist() == [2]


def test_a_router_weighs_what_it_wins_against_the_price() -> None:
    view = Seen(
        np.ones((2, 3), bool), COST, np.zeros(2), np.array([[0.2, 0.3, 0.9], [0.8, 0.8, 0.9]])
    )
    assert Router(0.0)(view).chosen.tolist() == [2, 2]
    assert Router(0.05)(view).chosen.tolist() == [2, 0]
    assert Router(9.0)(view).chosen.tolist() == [0, 0]


def test_a_mixture_draws_its_share_by_the_prompt_alone() -> None:
    drawn = luck([f"prompt {n}" for n in range(4000)])
    view = Seen(np.ones((4000, 2), bool), COST[:2], drawn, np.zeros((4000, 2)))
    assert Mix(0, 1, 0.3)(view).chosen.mean() == pytest.approx(0.3, abs=0.03)
    assert luck(["prompt 7"])[0] == drawn[7]


FITS = {
    "always": fit_always, "mix": fit_mix, "router": fit_router, "meta": fit_meta((0, 2)),
    "frugal 2": fit_frugal((0, 2)), "frugal 3": fit_frugal((0, 1, 2)),
    "automix": fit_automix((0, 2), False), "double": fit_automix((0, 2), True),
    "weighed": fit_weighed((0, 1, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("budget", [1.0, 2.5, 6.0, 100.0])
def test_what_is_found_keeps_the_budget(name: str, budget: float) -> None:
    table = known()
    rule = FITS[name](table, budget)
    assert rule is not None
    room = 1.25 if name == "mix" else 1.0 + 1e-6  # a mixture keeps it on average over draws
    assert table.worth(rule)[1] <= budget * room


@pytest.mark.parametrize("name", FITS)
def test_nothing_is_found_below_the_cheapest_system(name: str) -> None:
    assert FITS[name](known(), 0.5) is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("budget", [2.0, 4.0, 8.0])
def test_the_frugal_search_finds_what_trying_every_threshold_finds(
    seed: int, budget: float
) -> None:
    table = known(40, seed)
    rule = fit_frugal((0, 1, 2), grid=40)(table, budget)
    assert rule is not None
    scores = [table.view.after((0,), 0), table.view.after((0, 1), 1)]
    levels = [[*sorted(set(score)), 2.0] for score in scores]
    within = [w for pair in itertools.product(*levels)
              if (w := table.worth(Frugal((0, 1, 2), pair)))[1] <= budget + 1e-9]  # fmt: skip
    assert table.worth(rule)[0] == pytest.approx(max(w[0] for w in within))


def test_double_thresholds_are_never_worse_than_one() -> None:
    for seed, budget in itertools.product(range(4), (2.0, 5.0)):
        table = known(seed=seed)
        one, two = (fit_automix((0, 2), double)(table, budget) for double in (False, True))
        assert one and two and table.worth(two)[0] >= table.worth(one)[0]


def test_a_predictor_that_knows_beats_the_mixture_and_its_lift_says_so() -> None:
    table = known(400)
    mixed, routed = fit_mix(table, 4.0), fit_router(table, 4.0)
    assert mixed and routed and table.worth(routed)[0] > table.worth(mixed)[0] + 0.05
    assert ibc_lift(table, routed, 0, 2) > 0.2
    assert ibc_lift(table, Always(2), 0, 2) == pytest.approx(0)


@pytest.mark.parametrize("rule", [
    Always(1), Mix(0, 2, 0.25), Router(0.5), Frugal((0, 2), (0.5,)), AutoMix((0, 1), -1.0, 0.5),
    Meta((0, 2), (0.5,), (0.0, 1.0)), Weighed((0, 1, 2), 0.25),
], ids=lambda rule: rule.kind)  # fmt: skip
def test_a_rule_survives_its_json(rule: Rule) -> None:
    fields = json.loads(json.dumps(rules.shown(rule, SYSTEMS)))
    assert rules.read(fields, SYSTEMS) == rule


@pytest.mark.parametrize("fields", [
    {}, {"kind": "magic"}, {"kind": "always"}, {"kind": "always", "system": "nobody"},
    {"kind": "router", "price": "low"}, {"kind": "router", "price": True},
    {"kind": "always", "system": "small", "more": 1.0},
])  # fmt: skip
def test_a_rule_that_is_none_of_ours_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        rules.read(fields, SYSTEMS)
