"""Risk, coverage, calibration and AUROC, against brute force and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.curves import auroc, calibration, risk_coverage, wilson

CASES = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.1, 0.5, 0.9, None])), min_size=1, max_size=6
)


def brute_area(cases: list[tuple[bool, float | None]]) -> float:
    """The mean, over every order that the confidences allow, of the mean risk of its prefixes."""
    keyed = [(-1.0 if c is None else c, not right or c is None) for right, c in cases]
    areas = []
    for order in itertools.permutations(keyed):
        if any(a[0] < b[0] for a, b in itertools.pairwise(order)):
            continue
        wrong = [bad for _, bad in order]
        areas.append(np.mean([sum(wrong[:k]) / k for k in range(1, len(wrong) + 1)]))
    return float(np.mean(areas))


@settings(deadline=None)
@given(CASES)
def test_the_area_is_the_mean_over_all_orders_of_equal_confidences(
    cases: list[tuple[bool, float | None]],
) -> None:
    curve = risk_coverage([right for right, _ in cases], [sure for _, sure in cases])
    assert curve.area == pytest.approx(brute_area(cases))
    assert curve.best <= curve.area + 1e-12


def test_a_curve_whose_points_are_known() -> None:
    curve = risk_coverage([True, False, True, False], [0.9, 0.6, 0.6, None])
    assert curve.coverage == (0.25, 0.75)
    assert curve.risk == pytest.approx((0.0, 1 / 3))
    assert curve.threshold == (0.9, 0.6)
    assert curve.area == pytest.approx((0 + 0.25 + 1 / 3 + 0.5) / 4)
    assert curve.best == pytest.approx((0 + 0 + 1 / 3 + 0.5) / 4)
    assert curve.chance == 0.5
    assert [curve.coverage_at(risk) for risk in (0.0, 0.2, 0.4)] == [0.25, 0.25, 0.75]


def test_a_right_text_without_a_confidence_counts_as_wrong() -> None:
    assert risk_coverage([True, True], [0.4, None]).chance == 0.5


def test_nothing_can_be_answered_at_a_risk_below_the_surest_answers() -> None:
    assert risk_coverage([False, True], [0.9, 0.1]).coverage_at(0.05) == 0.0


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=12))
def test_auroc_is_the_share_of_pairs_in_the_right_order(cases: list[tuple[bool, int]]) -> None:
    good = [score for right, score in cases if right]
    bad = [score for right, score in cases if not right]
    found = auroc([score for _, score in cases], [right for right, _ in cases])
    if not good or not bad:
        assert found is None
        return
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in good for b in bad]
    assert found == pytest.approx(sum(pairs) / len(pairs))


def test_calibration_by_hand() -> None:
    found = calibration([0.95, 0.95, 0.95, 0.95, 0.25, 0.25, 1.0], [1, 1, 1, 0, 0, 1, 1])
    assert [(one.low, one.count) for one in found.bins] == [(0.2, 2), (0.9, 5)]
    # (2 x |0.25 - 0.5| + 5 x |0.96 - 0.8|) / 7
    assert found.ece == pytest.approx((2 * 0.25 + 5 * 0.16) / 7)
    squares = [0.05**2] * 3 + [0.95**2, 0.25**2, 0.75**2, 0.0]
    assert found.brier == pytest.approx(sum(squares) / 7)
    assert found.base == pytest.approx(5 / 7 * 2 / 7)


def test_bins_of_equal_count_have_no_error_when_each_is_right_on_average() -> None:
    support = [0.5] * 10 + [0.8] * 10
    right = [True] * 5 + [False] * 5 + [True] * 8 + [False] * 2
    assert calibration(support, right, bins=2).ece_equal_mass == pytest.approx(0.0)
    assert calibration(support, right).ece == pytest.approx(0.0)


def test_wilson_at_the_ends_and_in_the_middle() -> None:
    assert wilson(1.0, 4) == pytest.approx((0.5101, 1.0), abs=1e-4)
    assert wilson(0.0, 4) == pytest.approx((0.0, 0.4899), abs=1e-4)
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
