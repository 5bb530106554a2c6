"""APGR against its definition: RouteLLM's area, on toys where it is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmarks.costs import MIXTRAL, PRICES, Price
from benchmarks.routing_measures import apgr, interval, oracle

WEAK = np.array([1.0, 0, 0, 1, 0, 1, 1, 0])
STRONG = np.array([1.0, 1, 0, 1, 1, 1, 0, 1])


def by_hand(score: np.ndarray) -> float:
    """Threshold by threshold, trapezoids over the share of strong calls."""
    points = []
    for threshold in [*sorted(set(score), reverse=True), -np.inf]:
        strong = score >= threshold
        points.append((strong.mean(), np.where(strong, STRONG, WEAK).mean()))
    points = [(0.0, WEAK.mean()), *points]
    gained = [(share, (right - WEAK.mean()) / (STRONG.mean() - WEAK.mean()))
              for share, right in points]  # fmt: skip
    pairs = itertools.pairwise(gained)
    return float(sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairs))


@pytest.mark.parametrize("seed", range(5))
def test_apgr_is_the_area_of_its_definition(seed: int) -> None:
    score = np.random.default_rng(seed).integers(0, 4, len(WEAK)).astype(float)
    assert apgr(score, WEAK, STRONG) == pytest.approx(by_hand(score))


def test_a_constant_score_has_the_apgr_of_a_coin() -> None:
    assert apgr(np.ones(len(WEAK)), WEAK, STRONG) == pytest.approx(0.5)


def test_random_scores_have_half_on_average() -> None:
    random = np.random.default_rng(0)
    found = [apgr(random.random(len(WEAK)), WEAK, STRONG) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.02)


def test_the_oracle_of_all_gain_and_no_loss_tends_to_one() -> None:
    weak, strong = np.ones(10_000), np.ones(10_000)
    weak[:3] = 0
    assert oracle(weak, strong) == pytest.approx(1.0, abs=0.001)


def test_no_score_beats_the_oracle() -> None:
    random = np.random.default_rng(1)
    best = oracle(WEAK, STRONG)
    assert all(apgr(random.random(len(WEAK)), WEAK, STRONG) <= best + 1e-9 for _ in range(300))


def test_the_interval_holds_the_measure_and_grows_when_groups_are_drawn() -> None:
    random = np.random.default_rng(2)
    groups = [f"g{n // 50}" for n in range(500)]
    hard = np.repeat(random.random(10), 50)
    weak = (random.random(500) > hard).astype(float)
    strong = (random.random(500) > hard / 3).astype(float)
    low, high = interval(hard, weak, strong, rounds=200)
    wide = interval(hard, weak, strong, groups, rounds=200)
    assert low < apgr(hard, weak, strong) < high
    assert wide[1] - wide[0] > high - low


def test_a_call_costs_its_tokens_times_the_price() -> None:
    assert Price(10.0, 30.0).of("x" * 396, "y" * 36) == pytest.approx((100 * 10 + 10 * 30) / 1e6)
    assert MIXTRAL.of("x" * 396, None) == pytest.approx(101 * 0.6 / 1e6)


def test_a_hundred_samples_are_paid_a_hundred_times_and_a_second_call_reads_again() -> None:
    plain, sampled = PRICES["175b_finetuning"], PRICES["175b_verification"]
    assert sampled.of("x" * 3, "y" * 396) > 90 * plain.of("x" * 3, "y" * 396)
    once, twice = PRICES["direct"], PRICES["step_by_step"]
    assert twice.of("x" * 40, "y" * 40) > 1.5 * once.of("x" * 40, "y" * 40)
