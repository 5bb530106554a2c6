"""The judge that is configured: models by name stand alone where no pilot was shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.pilot import serve
from models.pilot.chosen import chosen
from models.pilot.others import Other
from models.pilot.reading import HEADS, NEUTRAL, Pair, Reading, having, heads_of, neutral
from models.pilot.serve import Pilot
from pilotfish.errors import SettingsError
from tests.models.classifiers import NLI, RERANKER, classifier

PAIRS = [("The sky is blue.", "On clear days the sky is blue."), ("It rains.", "It is dry.")]


def knows_all(pairs: list[Pair]) -> list[Reading]:
    return [Reading(2.0, 0.2, 0.3, 0.5, ((0, 1, 2.0),)) for _ in pairs]


def test_a_judge_has_the_heads_of_its_model_and_of_the_judge_under_it() -> None:
    support = Other("nli", "support", neutral)
    assert heads_of(support) == {"support"}
    assert heads_of(Other("reranker", "relevance", support)) == {"support", "relevance"}
    assert heads_of(Other("nli", "support", Pilot())) == heads_of(knows_all) == HEADS
    assert heads_of(neutral) == frozenset()


def test_a_judge_is_asked_only_for_what_it_has_a_head_for() -> None:
    judge = Other("nli", "support", neutral)
    assert having(judge, "support") is judge
    assert having(judge, "spans") is None and having(None, "support") is None


def test_the_pilot_alone_needs_its_weights_and_says_what_can_be_done(tmp_path: Path) -> None:
    judge = chosen("pilot", "pilot", folder=tmp_path)
    assert judge is not None
    with pytest.raises(SettingsError, match=r"set judge to rules, or train \(python -m"):
        judge(PAIRS)


@pytest.mark.parametrize(("slip", "meant"), [("pilto", "pilot"), ("rule", "rules")])
def test_a_slip_in_the_judges_name_is_told_at_once(slip: str, meant: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"no judge '{slip}': did you mean {meant}"):
        chosen(slip, "pilot", folder=tmp_path)


def test_a_model_by_name_stands_over_the_pilot_that_was_shipped(tmp_path: Path) -> None:
    (tmp_path / serve.GRAPH).write_bytes(b"graph")
    (tmp_path / serve.MANIFEST).write_text("{}")
    assert heads_of(chosen("an/nli", "pilot", folder=tmp_path) or neutral) == HEADS


@pytest.mark.slow
def test_a_judge_by_name_gives_verdicts_without_a_pilot_and_is_neutral_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = classifier(tmp_path / "nli", NLI)
    judge = chosen(str(folder), "pilot", folder=tmp_path)
    assert judge is not None and heads_of(judge) == {"support"}
    assert "no pilot was shipped" in caplog.text and str(folder) in caplog.text
    expected = Other(str(folder), "support", knows_all)(PAIRS)
    for found, wanted in zip(judge(PAIRS), expected, strict=True):
        told = (found.supported, found.contradicted, found.unsupported)
        assert told == (wanted.supported, wanted.contradicted, wanted.unsupported)
        assert sum(told) == pytest.approx(1.0, abs=1e-5) and max(told) > 0.34
        assert (found.relevance, found.spans, found.null) == (0.0, (), 0.0)


@pytest.mark.slow
def test_a_reranker_by_name_gives_relevance_without_a_pilot_and_no_verdict(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "reranker", RERANKER)
    judge = chosen("pilot", str(folder), folder=tmp_path)
    assert judge is not None and heads_of(judge) == {"relevance"}
    expected = Other(str(folder), "relevance", knows_all)(PAIRS)
    found = judge(PAIRS)
    assert [one.relevance for one in found] == [one.relevance for one in expected]
    assert len({one.relevance for one in found} | {0.0}) == 3
    assert all(one.supported == NEUTRAL.supported and not one.spans for one in found)
