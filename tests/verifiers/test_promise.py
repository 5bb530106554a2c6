"""Promises: the exact bound, the risk kept although the threshold is chosen, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binom

from verifiers.binomial import at_most, fewest, needed, upper_bound
from verifiers.promise import GRID, MISS, Rung, holding, ladder, promise

DRAWS = 300


def test_the_binomial_tail_and_its_bound_are_those_of_scipy() -> None:
    for wrong, answered in ((0, 20), (0, 59), (3, 80), (40, 300), (299, 300), (900, 5000)):
        for rate in (0.01, 0.05, 0.2, 0.9):
            assert at_most(wrong, answered, rate) == pytest.approx(
                binom.cdf(wrong, answered, rate), rel=1e-6, abs=1e-9
            )
        exact = beta.ppf(0.95, wrong + 1, answered - wrong)
        assert upper_bound(wrong, answered) == pytest.approx(exact, abs=1e-6)
    assert upper_bound(5, 5) == 1.0 and at_most(5, 5, 0.1) == 1.0


def test_fewest_is_exact_and_needed_about_what_it_takes() -> None:
    assert fewest(0.05, 0.05) == 59 and fewest(0.1, 0.05) == 29
    for rate in (0.0, 0.01, 0.03, 0.04):
        count = needed(0.05, rate, 0.05)
        assert count is not None
        assert binom.cdf(round(rate * count * 1.5), round(count * 1.5), 0.05) <= 0.05
        assert binom.cdf(round(rate * count * 0.6), round(count * 0.6), 0.05) > 0.05
    assert needed(0.05, 0.05, 0.05) is None and needed(0.05, 0.3, 0.05) is None


def test_a_ladder_counts_what_a_plain_count_counts() -> None:
    random = np.random.default_rng(3)
    support, wrong = random.random(200), random.random(200) < 0.3
    for rung in ladder(support, wrong):
        assert rung.answered == int((support >= rung.at_least).sum())
        assert rung.wrong == int(wrong[support >= rung.at_least].sum())


def test_no_threshold_lies_below_the_least_support_that_was_labelled() -> None:
    support = np.linspace(0.5, 0.9, 300)  # labels of given answers alone: nothing below is known
    assert ladder(support, np.zeros(300))[-1].at_least >= GRID[GRID.index(0.5)]
    assert promise(ladder(support, np.zeros(300)), 0.1, 300).threshold == 0.5


def world(name: str, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(support, P(wrong)) of so many answers; the last three are the hardest to keep."""
    support = random.beta(2.0, 1.2, count)
    return {
        "calibrated": (support, 1 - support),
        "sharp": (support, 1 / (1 + np.exp(10 * support - 4))),
        "weak": (support, 0.65 - 0.6 * support),
        "just too bad at the top": (support, np.where(support > 0.5, 0.051, 0.4)),
        "flat and just too bad": (support, np.full(count, 0.051)),
        "useless": (support, np.full(count, 0.11)),
    }[name]


@pytest.mark.parametrize("name", ["calibrated", "sharp", "weak", "just too bad at the top",
                                  "flat and just too bad", "useless"])  # fmt: skip
def test_a_promise_is_broken_in_at_most_one_of_twenty_draws(name: str) -> None:
    """Over fresh labels each time; the true risk comes from very many answers."""
    random = np.random.default_rng(11)
    support, wrong = world(name, 400_000, random)
    true = {t: float(wrong[support >= t].mean()) for t in GRID if (support >= t).any()}
    for max_error in (0.05, 0.1):
        broken = 0
        for _ in range(DRAWS):
            own, odds = world(name, 300, random)
            rungs = ladder(own, random.random(300) < odds)
            last = [rung for rung, _ in holding(rungs, max_error)][-1:]
            broken += bool(last and true[last[0].at_least] > max_error)
        spread = 2.6 * (MISS * (1 - MISS) / DRAWS) ** 0.5
        assert broken / DRAWS <= MISS + spread, (name, max_error, broken)


def test_good_answers_are_promised_and_more_labels_promise_more() -> None:
    random = np.random.default_rng(5)
    held = []
    for count in (60, 400, 3000):
        thresholds = []
        for _ in range(20):
            support = random.beta(2.0, 1.2, count)
            given = promise(ladder(support, random.random(count) > support**0.2), 0.1, count)
            thresholds.append(1.0 if given.threshold is None else given.threshold)
        held.append(float(np.mean(thresholds)))
    assert held[0] > held[1] > held[2] and held[2] < 0.7


def test_too_few_labels_are_told_with_how_many_are_missing() -> None:
    given = promise(ladder(np.full(40, 0.9), np.zeros(40)), 0.05, 80)
    assert given.threshold is None and "40 labelled answers are too few" in given.why
    least = fewest(0.05, MISS / 8)
    assert f"{least} are the least" in given.why and f"about {(least - 40) * 2} more" in given.why


def test_at_a_hopeless_rate_no_number_of_labels_is_asked_for() -> None:
    rungs = ladder(np.linspace(0.1, 0.99, 500), np.arange(500) % 2)
    given = promise(rungs, 0.05, 500)
    assert given.threshold is None and "more labels will not help" in given.why


def test_a_hopeful_rate_says_how_many_more_labels_it_takes() -> None:
    rungs = (Rung(0.9, 100, 4), Rung(0.5, 200, 60))
    given = promise(rungs, 0.05, 400)
    assert given.threshold is None and "4.0% of wrong ones" in given.why
    assert "more questions (pilotfish tune trust)" in given.why
