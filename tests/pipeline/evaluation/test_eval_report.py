"""The report of a small run, every figure reckoned by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.evaluation.bootstrap import Interval
from pipeline.evaluation.figures import FIGURES
from pipeline.evaluation.report import Setup, report, trouble, verdict, worst
from pipeline.evaluation.rows import Rule
from tests.pipeline.evaluation.answers import joined, line, run_of, source

SEINE = {"document": "d", "quote": "the seine flows through rouen in the end", "sentence": [0, 43]}
PAID = {"llm_calls": 1, "prompt_tokens": 90, "completion_tokens": 10, "cost_usd": 0.03}
LINES = [
    line("q1", "The Seine flows through Rouen in the end.", 0.9, citations=[SEINE],
         values=["Seine"]),
    line("q2", "Lyon", 0.8, receipt=PAID),  # wrong, and no citation
    line("q3", None, 0.4, candidate="Loire"),  # right, and held back
    line("q4", None, None),  # no answer, nothing said
    line("q5", "Paris", 0.2),  # no answer, and something said
    {**line("q6", None, None), "status": "failed", "error": {"code": "model_error"}},
]  # fmt: skip
GOLD = [{"id": "q1", "answers": ["Seine", "la Seine"]}, {"id": "q2", "answer": "Paris"},
        {"id": "q3", "answer": "the Loire"}, {"id": "q4", "unanswerable": True},
        {"id": "q5", "answers": []}, {"id": "q6", "answer": "yes"}]  # fmt: skip


def made(lines: list[dict[str, Any]] = LINES, rule: Rule = "match", models: bool = True) -> Any:
    pairs = joined(lines, GOLD)
    names = ("e", "j") if models else (None, None)
    setup = Setup(source(), source("gold"), None, rule, *names)
    return report(setup, pairs, run_of(pairs, rule, models), None)


def test_every_figure_by_hand() -> None:
    told = made()["figures"]
    values = {name: one["value"] for name, one in told.items()}
    expected = {
        "right": 1 / 4, "wrong": 2 / 3, "answered": 3 / 6, "failed": 1 / 6,
        "support": (0.9 + 0.8 + 0.2) / 3,
        "exact": 1 / 4, "f1": 1 / 4, "contains": 1 / 4, "exact_answered": 1 / 2, "yes_no": 0.0,
        "citation_recall": 1 / 3, "citation_precision": 1 / 3, "citations": 1 / 3,
        "abstained_unanswerable": 1 / 2, "abstained_due": 1 / 2, "lost": 1 / 4,
        "free_right": 1 / 4, "calls": 1 / 6, "tokens": 100 / 6, "cost": 0.03 / 6,
        "cost_per_right": 0.03, "seconds": 0.5,
    }  # fmt: skip
    assert {name: values[name] for name in expected} == pytest.approx(expected)
    assert (told["right"]["n"], told["wrong"]["n"], told["lost"]["n"]) == (4, 3, 4)


def test_counts_add_up() -> None:
    counts = made()["counts"]
    assert counts["right"] + counts["wrong"] + counts["abstained"] + counts["failed"] == 6
    assert counts["failures"] == {"model_error": 1}
    assert (counts["answerable"], counts["unanswerable"]) == (4, 2)


def test_the_curve_takes_what_was_held_back_and_counts_the_rest_as_wrong() -> None:
    curve = made()["risk_coverage"]
    assert curve["threshold"] == (0.9, 0.8, 0.4, 0.2)
    assert curve["risk"] == pytest.approx((0, 1 / 2, 1 / 3, 1 / 2))
    assert curve["chosen"] == pytest.approx({"coverage": 0.5, "risk": 2 / 3})
    assert curve["chance"] == pytest.approx(4 / 6)


def test_the_rule_contains_is_kinder() -> None:
    lines = [line("q2", "It was Paris, they say."), *LINES[:1], *LINES[2:]]
    lines.sort(key=lambda one: one["custom_id"])
    assert made(lines)["counts"]["right"] == 1
    assert made(lines, "contains")["counts"]["right"] == 2


def test_an_unknown_price_is_said_and_not_guessed() -> None:
    lines = [{**LINES[0], "receipt": {"cost_usd": None}}, *LINES[1:]]
    told = made(lines)
    assert told["figures"]["cost"]["value"] is None
    assert told["figures"]["cost_per_right"]["low"] is None
    assert "price" in told["not_scored"]["cost"] and "receipt" in told["not_scored"]["calls"]


def test_without_models_their_figures_say_why_they_are_missing() -> None:
    told = made(models=False)
    for name in ("bertscore_f1", "bertscore_f1_rescaled", "citation_recall", "citation_precision"):
        assert told["figures"][name]["value"] is None
        assert told["not_scored"][name] == "--no-models leaves it out"
    assert told["figures"]["citations"]["value"] is not None


def test_nothing_in_the_report_is_nan_and_what_is_missing_has_a_reason() -> None:
    empty = [line(f"q{n}", None, None) for n in range(1, 7)]
    for told in (made(), made(empty), made(empty, models=False)):
        json.dumps(told, allow_nan=False)
        missing = {name for name, one in told["figures"].items() if one["value"] is None}
        assert missing <= set(told["not_scored"]) and all(told["not_scored"].values())


def test_a_share_of_all_or_nothing_has_an_interval_all_the_same() -> None:
    one = made([line(f"q{n}", None, None) for n in range(1, 7)])["figures"]["answered"]
    assert (one["value"], one["low"]) == (0.0, 0.0) and one["high"] == pytest.approx(
        0.3903, abs=1e-3
    )


def test_against_another_run_the_differences_are_this_less_the_other() -> None:
    better = [line("q1", "Seine"), line("q2", "Paris"), *LINES[2:]]
    one, other = joined(better, GOLD), joined(LINES, GOLD)
    setup = Setup(source(), source("gold"), source("other"))
    told = report(setup, one, run_of(one), run_of(other))["against"]
    assert told["figures"]["right"]["value"] == pytest.approx(1 / 4)
    assert told["figures"]["cost"]["value"] == pytest.approx(-0.03 / 6)
    assert told["right"] == {"both": 1, "only_this": 1, "only_other": 0, "neither": 4}
    assert set(told["figures"]) == {figure.name for figure in FIGURES}


def test_the_worst_are_the_surest_wrong_answers() -> None:
    rows = worst(run_of(joined(LINES, GOLD)).rows)
    assert [(row.reply.id, trouble(row)) for row in rows] == [
        ("q2", "wrong"), ("q5", "invented"), ("q6", "failed"), ("q3", "held back")]  # fmt: skip


@pytest.mark.parametrize(("low", "high", "better", "word"), [
    (0.1, 0.2, 1, "better"), (0.1, 0.2, -1, "worse"), (-0.2, -0.1, -1, "better"),
    (-0.1, 0.2, 1, "even"), (0.1, 0.2, 0, "other"), (None, None, 1, "unknown"),
])  # fmt: skip
def test_verdicts(low: float | None, high: float | None, better: int, word: str) -> None:
    assert verdict(Interval(0.0, low, high), better) == word
