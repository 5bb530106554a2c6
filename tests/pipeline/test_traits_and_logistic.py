"""Plain facts of prompts and answers, and the logistic over them, against known answers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pipeline.automix import lexical
from pipeline.logistic import Logistic, Scale, fit, fitted, probability
from pipeline.traits import answer_traits, prompt_traits, result


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("So 48/2 = 24, and 48 + 24 = 72.\n#### 72", "72"),
        ("It costs $1,200.50 in all.", "1200.5"),
        ("Among A through E, the answer is B.", "B"),
        ("Therefore, the answer (Yes or No) is yes.", "yes"),
        ("the answer is the red house", "red house"),
        ("", ""),
    ],
)
def test_what_an_answer_comes_to(text: str, said: str) -> None:
    assert result(text) == said


def test_right_and_wrong_sums_are_told_apart() -> None:
    traits = answer_traits("p", "3 + 4 = 7, 2*5 = 11 and 10 / 4 = <<10/4=2.5>>2.5; 1 / 0 = 5")
    assert traits["answer: right sums"] == pytest.approx(math.log1p(2))
    assert traits["answer: wrong sums"] == pytest.approx(math.log1p(1))


def test_an_answer_agrees_with_an_earlier_one_by_its_result() -> None:
    both = answer_traits("p", "A: 42", ["It is 42.", "It is 43."])
    assert both["agrees with an earlier answer"] == 1.0
    assert both["contradicts an earlier answer"] == 0.5
    assert answer_traits("p", "A: 42")["contradicts an earlier answer"] == 0.0


def test_choices_numbers_and_negation_of_a_prompt_are_counted() -> None:
    traits = prompt_traits("Which is NOT even?\nA. 2\nB. 4\nC. 7\nD. 8\nAnswer:")
    assert traits["choices"] == 1.0 and traits["choices are numbers"] == 1.0
    assert traits["negation"] == 1.0 and traits["numbers"] == pytest.approx(math.log1p(4))


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "總部在哪裡？", "9" * 5000, "(" * 30_000, "- " * 9000]
)
def test_any_text_gives_the_same_finite_traits(text: str) -> None:
    for traits in (prompt_traits(text), answer_traits(text, text, [text])):
        assert all(math.isfinite(value) for value in traits.values())
    assert set(prompt_traits(text)) == set(prompt_traits("Why?"))


def test_the_lexical_verifier_prefers_what_stands_in_the_prompt() -> None:
    prompt = "The pump leaks at the seal after 30 days. Where does it leak?"
    right, wrong, empty = lexical([(prompt, "at the seal after 30 days"), (prompt, "the hose, 40"),
                                   (prompt, "")])  # fmt: skip
    assert right > 0.9 > 0.3 > wrong and empty == 0.0


def test_newton_finds_where_the_penalised_slope_is_zero() -> None:
    random = np.random.default_rng(0)
    design = random.normal(size=(400, 3))
    right = (random.random(400) < probability(design @ [1.5, -1.0, 0.0] + 0.4)).astype(float)
    weights = fit(design, right, strength=2.0)
    p = probability(np.c_[design, np.ones(400)] @ weights)
    slope = design.T @ (right - p) - 2.0 * weights[:-1]
    assert np.abs(slope).max() < 1e-4 and abs(float((right - p).sum())) < 1e-3
    assert weights[0] > 1 > 0 > weights[1]


def test_one_class_alone_gives_finite_weights() -> None:
    weights = fit(np.eye(30), np.ones(30), strength=1.0)
    assert np.isfinite(weights).all()


def test_a_judge_survives_its_json_and_its_parts_add_up() -> None:
    random = np.random.default_rng(1)
    table = [{"length": float(n % 7), "same": 3.0} for n in range(200)]
    vectors = random.normal(size=(200, 8))
    right = (vectors[:, 0] + np.arange(200) % 7 > 3).astype(float)
    judge = fitted(table, vectors, right, strength=1.0)
    again = Logistic.read(json.loads(json.dumps(judge.shown())))
    odds = judge.odds(table, vectors)
    assert np.allclose(odds, again.odds(table, vectors), atol=0.02)
    parts = judge.parts(table[5], vectors[5])
    assert judge.bias + sum(parts.values()) == pytest.approx(odds[5])
    assert set(parts) == {"length", "same", "wording"}


@pytest.mark.parametrize("broken", [
    {}, {"bias": 0}, {"bias": "x", "features": {}, "wording_base64": ""},
    {"bias": 0, "features": {}, "wording_base64": "%%"},
    {"bias": 0, "features": {"a": {"weight": 1}}, "wording_base64": ""},
    {"bias": float("nan"), "features": {}, "wording_base64": ""}, [], None,
])  # fmt: skip
def test_a_broken_judge_is_refused(broken: object) -> None:
    with pytest.raises(ValueError, match="a judge"):
        Logistic.read(broken)  # type: ignore[arg-type]


def test_a_scale_holds_outliers_within_five_spreads() -> None:
    scale = Scale.of([{"n": float(v)} for v in (0, 1, 2, 3)])
    assert float(scale([{"n": 1e9}])[0, 0]) == 5.0
