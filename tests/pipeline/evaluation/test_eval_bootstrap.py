"""Intervals: they cover, agree with a plain loop, and say so when there is nothing to tell."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pipeline.evaluation.bootstrap import (
    Ratios,
    area_interval,
    differences,
    intervals,
    resampled,
)
from pipeline.evaluation.curves import ranked, risk_coverage


def column(values: list[float], below: list[float] | None = None) -> Ratios:
    """One figure."""
    under = [1.0] * len(values) if below is None else below
    return Ratios(np.array(values, float)[:, None], np.array(under, float)[:, None])


def test_about_95_of_100_intervals_cover_the_true_difference() -> None:
    chance = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        both = chance.random(80)  # the runs are right on much the same questions
        one = column(((both + 0.2 * chance.random(80)) < 0.6).astype(float).tolist())
        other = column((both < 0.4).astype(float).tolist())
        (found,) = differences(one, other, rounds=400)
        assert found.low is not None and found.high is not None
        covered += found.low <= 0.1 <= found.high  # P(one) = 0.5, P(other) = 0.4
    assert 0.90 <= covered / 200 <= 0.99


def test_ends_agree_with_a_plain_loop() -> None:
    chance = random.Random(5)
    above = [chance.random() for _ in range(40)]
    below = [float(chance.random() < 0.7) for _ in range(40)]
    drawn = []
    for _ in range(6000):
        picked = [chance.randrange(40) for _ in range(40)]
        drawn.append(sum(above[n] for n in picked) / sum(below[n] for n in picked))
    (found,) = intervals(column(above, below), rounds=6000)
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert found.value == pytest.approx(sum(above) / sum(below))
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.03)


def test_a_run_against_itself_differs_by_nothing() -> None:
    run = column([0.0, 1.0, 1.0, 0.0, 0.5])
    (found,) = differences(run, run)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_pairing_makes_the_interval_narrow() -> None:
    chance = np.random.default_rng(1)
    hard = chance.normal(size=100)
    one, other = column((hard + 0.1).tolist()), column(hard.tolist())
    (paired,) = differences(one, other)
    assert paired.low == pytest.approx(0.1) and paired.high == pytest.approx(0.1)


def test_a_figure_of_nothing_has_no_value_and_one_of_almost_nothing_no_interval() -> None:
    (none,) = intervals(column([0.0, 0.0], [0.0, 0.0]))
    assert (none.value, none.low, none.high) == (None, None, None)
    (rare,) = intervals(column([1.0] + [0.0] * 9, [1.0] + [0.0] * 9))
    assert rare.value == 1.0 and rare.low is None


def test_the_same_seed_draws_the_same_and_blocks_do_not_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = column([float(n % 3) for n in range(30)])
    whole = resampled(run, rounds=50)
    monkeypatch.setattr("pipeline.evaluation.bootstrap._BLOCK", 240)
    assert np.array_equal(whole, resampled(run, rounds=50))


def test_a_difference_is_redrawn_ten_thousand_times() -> None:
    run = column([float(n % 2) for n in range(100)])
    assert resampled(run).shape == (10_000, 1)


def test_a_redrawn_area_is_that_of_the_redrawn_questions() -> None:
    chance = random.Random(2)
    sure = [round(chance.random(), 1) for _ in range(60)]
    right = [chance.random() < one for one in sure]
    drawn = []
    for _ in range(3000):
        picked = [chance.randrange(60) for _ in range(60)]
        drawn.append(risk_coverage([right[n] for n in picked], [sure[n] for n in picked]).area)
    found = area_interval(ranked(right, sure), rounds=3000)
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert found.value == pytest.approx(risk_coverage(right, sure).area)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.015)


def test_a_better_order_has_a_smaller_area_and_the_same_order_none_less() -> None:
    right = [n % 3 != 0 for n in range(90)]
    sharp = ranked(right, [0.9 if one else 0.1 for one in right])
    blunt = ranked(right, [0.5] * 90)
    found = area_interval(sharp, blunt, rounds=500)
    assert found.value is not None and found.high is not None and found.high < 0
    same = area_interval(blunt, blunt, rounds=500)
    assert (same.low, same.high) == (0.0, 0.0)
    shares = intervals(column([float(not one) for one in right]), rounds=500)[0]
    alone = area_interval(blunt, rounds=500)
    assert (alone.low, alone.high) == pytest.approx((shares.low, shares.high)), "one common risk"
