"""The last word: calibrated support, who it is calibrated by, and what a promise withholds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pilotfish.types import UNCALIBRATED, Answer, Case, Citation, Passage, Question, Span
from verifiers import trust as module
from verifiers.calibration import Calibration, Label, fit, to_json
from verifiers.isotonic import Curve
from verifiers.promise import Rung
from verifiers.trust import Reliance, Trust, features_of, general
from verifiers.weights import fingerprint

TEXT = "Built in 1921."
PASSAGE = Passage(7, TEXT, "a.txt", 0, len(TEXT), kind="table")
CITED = (Citation((0, len(TEXT)), Span("a.txt", 0, len(TEXT), TEXT), 0.9, 7),)
HALVED = Curve((0.0, 1.0), (0.0, 0.5))  # whatever the judge says, half of it is true


def given(support: float, model: str = "extract") -> Case:
    answer = Answer(TEXT, model=model, citations=CITED, support=support)
    return Case(Question("When was it built?"), (PASSAGE,), answer=answer)


def calibration(threshold: float = 0.9, answered: int = 400) -> Calibration:
    """Promises 5 % from this threshold on."""
    rungs = (Rung(threshold, answered, 0), Rung(0.0, answered + 300, 200))
    return Calibration(HALVED, rungs, models=("extract",), labels=700, asked=700)


def trusted(case: Case, reliance: Reliance, threshold: float = 0.0) -> Answer:
    answer = Trust(reliance, threshold)(case).answer
    assert answer is not None
    return answer


def test_without_any_calibration_support_stays_and_the_answer_says_so() -> None:
    answer = trusted(given(0.8), Reliance(judge="j"))
    assert answer.support == 0.8 and answer.basis is not None and not answer.abstained
    assert answer.basis.calibration == UNCALIBRATED == "uncalibrated here"
    assert answer.basis.judged == 0.8 and answer.basis.judge == "j"
    assert answer.basis.promise == "" and answer.basis.kept is None


def test_support_is_calibrated_and_the_judges_own_figure_is_kept_for_labels() -> None:
    answer = trusted(given(0.8), Reliance(calibration(), "calibrated here on 700 labels"))
    assert answer.support == 0.4 and answer.basis is not None and answer.basis.judged == 0.8
    assert answer.basis.calibration == "calibrated here on 700 labels"


def test_too_little_calibrated_support_withholds_the_answer_and_keeps_it_as_candidate() -> None:
    answer = trusted(given(0.8), Reliance(calibration()), threshold=0.5)
    assert answer.abstained and not answer.citations and answer.text == TEXT
    assert [flaw.kind for flaw in answer.flaws] == ["withheld"]


def test_a_promise_gives_what_is_above_its_threshold_and_nothing_below() -> None:
    relied = Reliance(calibration(0.9), max_error=0.05)
    high, low = trusted(given(0.95), relied, 0.5), trusted(given(0.85), relied)
    assert not high.abstained and low.abstained  # the usual threshold of 0.5 does not count
    assert high.basis is not None and high.basis.kept is True
    assert "at most 0.05 wrong at 95 %, uncalibrated here" in high.basis.promise
    assert low.basis is not None and low.basis.kept is False


@pytest.mark.parametrize("known", [None, calibration(answered=30)])
def test_what_cannot_be_promised_is_withheld_and_said(known: Calibration | None) -> None:
    answer = trusted(given(0.99), Reliance(known, max_error=0.01))
    assert answer.abstained and answer.basis is not None
    assert answer.basis.promise.startswith("cannot promise at most 0.01 wrong: ")
    assert "pilotfish tune trust" in answer.basis.promise


def test_a_promise_says_nothing_of_models_whose_answers_were_not_labelled() -> None:
    relied = Reliance(calibration(), max_error=0.05)
    answer = trusted(given(0.99, "openai/other"), relied)
    assert answer.abstained and answer.support == 0.99
    assert not trusted(given(0.99, "openai/other"), Reliance(calibration())).abstained


def test_an_abstention_stays_one_and_what_nobody_judged_is_left_alone() -> None:
    withheld = Case(Question("?"), answer=Answer("x", support=0.99, abstained=True))
    assert trusted(withheld, Reliance()).abstained
    unseen = Case(Question("?"), answer=Answer("x"))
    assert Trust(Reliance())(unseen) == unseen


def test_features_name_the_question_the_model_and_the_cited_kind_of_passage() -> None:
    case = given(0.5)
    assert case.answer is not None
    wanted = {"kind": "date", "model": "extract", "passage": "table"}
    assert features_of(case, case.answer) == wanted
    assert features_of(case, Answer("x"))["passage"] == "none"


def test_the_shipped_calibration_is_only_used_for_the_judges_it_was_made_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fit([Label(n / 50, n > 20, {"model": "extract"}) for n in range(50)])
    monkeypatch.setattr(module, "GENERAL", tmp_path / "trust.json")
    body = {"judge": fingerprint(), "calibration": json.loads(to_json(made))}
    found = []
    for text in (json.dumps(body), json.dumps(body | {"judge": "another"}), "{", "[]"):
        (tmp_path / "trust.json").write_text(text, encoding="utf-8")
        general.cache_clear()
        found.append(general())
    general.cache_clear()
    assert found[0] is not None and found[0].labels == 50 and found[1:] == [None, None, None]
