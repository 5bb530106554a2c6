"""Calibration: pools like scipy's, groups that are off are found, JSON keeps it all."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from pilotfish.errors import InputError
from verifiers.calibration import FEWEST, Label, fit, from_json, to_json
from verifiers.groups import SMALLEST, grown, ranked
from verifiers.isotonic import Curve, brier, calibration_error, isotonic, mixed


def labels(count: int, seed: int = 0, off: float = 0.0) -> list[Label]:
    """Half are dates, of which `off` less are right than their support says; kinds alternate."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        support, kind = float(random.random()), "date" if number % 2 else "person"
        odds = support - off if kind == "date" else min(1.0, support + off)
        features = {"kind": kind, "model": "extract"}
        found.append(Label(round(support, 4), bool(random.random() < odds), features))
    return found


def test_pools_have_the_levels_that_scipy_finds() -> None:
    random = np.random.default_rng(1)
    x = np.sort(random.random(300))
    y = (random.random(300) < x).astype(float)
    found = isotonic(x, y)
    expected = isotonic_regression(y).x
    assert sorted(set(np.round(found.y, 9))) == sorted(set(np.round(expected, 9)))
    assert list(found.x) == sorted(found.x)


def test_a_curve_never_falls_and_keeps_different_values_apart_within_it() -> None:
    found = isotonic([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0, 1, 0, 1, 1, 1])
    y = found(np.linspace(0, 1, 101))
    assert (np.diff(y) >= 0).all() and found([0.15])[0] < found([0.25])[0]
    assert isotonic([0.5, 0.5], [0, 1]) == Curve((0.5,), (0.5,))


def test_a_mixture_lies_between_its_curves() -> None:
    low, high = Curve((0.0, 1.0), (0.0, 0.2)), Curve((0.0, 0.5, 1.0), (0.4, 0.5, 1.0))
    assert mixed(low, high, 0.25)([0.5])[0] == pytest.approx(0.25 * 0.1 + 0.75 * 0.5)


def test_brier_and_calibration_error_of_known_cases() -> None:
    assert brier([0.5, 0.5], [1, 0]) == 0.25 and brier([1.0, 0.0], [1, 0]) == 0
    assert calibration_error([0.9] * 10, [1] * 9 + [0]) == pytest.approx(0.0, abs=1e-12)
    assert calibration_error([0.9] * 10, [0] * 10) == pytest.approx(0.9)
    assert calibration_error([1.0], [1]) == 0


def test_groups_that_the_whole_hides_are_found_and_set_right() -> None:
    rows = labels(1200, off=0.25)
    made = fit(rows)
    assert [g.feature for g in made.groups] == ["kind", ""]
    fresh = labels(2000, seed=9, off=0.25)
    truth = [one.right for one in fresh]
    whole = fit(rows, grouped=False)
    scores = []
    for calibration in (whole, made):
        said = [calibration.support(calibration.rank(o.support, o.features)) for o in fresh]
        scores.append(brier(said, truth))
    assert scores[1] < scores[0] - 0.01 < brier([o.support for o in fresh], truth)


def test_where_nothing_is_off_no_group_is_made() -> None:
    made = [fit(labels(800, seed=seed)).groups for seed in range(5)]
    assert sum(len(groups) > 1 for groups in made) <= 1


def test_no_label_is_given_away_where_there_is_nothing_to_group_by() -> None:
    rows = [Label(one.support, one.right, {"model": "extract"}) for one in labels(800)]
    made = fit(rows)
    assert made.groups == () and made.rungs[-1].answered == 800 and made.asked == 800
    assert fit(labels(800)).rungs[-1].answered == 400


def test_a_small_group_stays_near_the_whole() -> None:
    rows = labels(600)
    support = np.array([one.support for one in rows])
    right = np.array([one.right for one in rows], dtype=float)
    features = [{"kind": "rare" if n < SMALLEST else f"common {n % 2}"} for n in range(600)]
    right[:SMALLEST] = 0.0
    groups = grown(support, right, features)
    assert [g.value for g in groups] == ["rare", ""] and groups[0].labels == SMALLEST
    whole = isotonic(support, right)
    assert 0.3 < ranked(groups, 0.9, {"kind": "rare"}) < whole([0.9])[0] - 0.2


def test_a_calibration_survives_its_json_and_a_person_can_read_it() -> None:
    made = fit(labels(900, off=0.25), 1500)
    again = from_json(to_json(made))
    assert again.labels == 900 and again.asked == 750 and again.models == ("extract",)
    for support in (0.1, 0.5, 0.93):
        for kind in ("date", "person", "other"):
            one, two = (c.rank(support, {"kind": kind}) for c in (made, again))
            assert one == two
    assert made.promise(0.3) == again.promise(0.3)
    said = json.loads(to_json(made))
    assert said["groups"][0]["when"] in ({"kind": "date"}, {"kind": "person"})
    assert set(said["thresholds"][0]) == {"at_least", "answered", "wrong"}


def test_what_is_no_calibration_is_refused_in_one_line() -> None:
    for text in ("", "[]", "{}", '{"groups": 1}', '{"groups": [{}]}'):
        with pytest.raises(InputError, match="tune trust"):
            from_json(text)


def test_too_few_labels_fit_nothing() -> None:
    with pytest.raises(InputError, match=f"at least {FEWEST}"):
        fit(labels(FEWEST - 1))
    assert fit(labels(FEWEST)).labels == FEWEST


def test_the_order_of_labels_changes_nothing() -> None:
    rows = labels(700, off=0.2)
    assert to_json(fit(rows)) == to_json(fit(rows[::-1]))


def test_an_answer_of_a_model_that_was_not_labelled_is_not_covered() -> None:
    made = fit(labels(50))
    assert made.covers("extract") and not made.covers("openai/other")
    assert fit([Label(0.5, True)] * FEWEST).covers("whatever")
