"""An LLM's short answer beside the hops': agreement is cited hop by hop, all else stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilotfish.step import run
from pilotfish.types import Answer, Case, Citation, Hint, Question, Span
from pipeline.hop_agree import OrHops, agrees, both
from verifiers.reread import AGREED, composed_of_hops

QUESTION = "When was the director of Sea of Glass born?"
CITED = (Citation((0, 10), Span("ann", 0, 31, "Ann Lee was born on 3 May 1950."), 0.9),)


def asked(said: str, own: str = "3 May 1950", form: str | None = "bridge") -> Answer | None:
    def llm(case: Case) -> Case:
        return replace(case, answer=Answer(said, model="big"))

    def hops(case: Case) -> Case:
        assert case.answer is None
        found = Answer(own, (own,), "hops", CITED, 0.5, abstained=not own)
        return replace(case, answer=found)

    hints = (Hint("form", form),) if form else ()
    return run(OrHops(llm, hops), Case(Question(QUESTION), hints=hints)).answer


@pytest.mark.parametrize("said", ["3 May 1950", "3 May 1950.", "On 3 May 1950.", "**3 May 1950**"])
def test_where_both_say_the_same_each_hop_is_cited_and_it_is_likelier(said: str) -> None:
    answer = asked(said)
    assert answer is not None and answer.text == "3 May 1950" and answer.model == AGREED
    assert answer.citations == CITED and composed_of_hops(answer)
    assert answer.support is not None and answer.support > 0.7


@pytest.mark.parametrize(
    "said", ["4 May 1950", "1950", "Not 3 May 1950", "3 May 1950 or 1951", "3 May 1950 BC", ""]
)
def test_where_they_do_not_the_llms_answer_stays_as_it_was(said: str) -> None:
    assert asked(said) == Answer(said, model="big")


def test_without_hops_nothing_is_compared() -> None:
    assert asked("3 May 1950", form=None) == Answer("3 May 1950", model="big")
    assert asked("3 May 1950", own="") == Answer("3 May 1950", model="big")


def test_yes_and_no_are_told_by_the_first_word() -> None:
    polar = "Were Ann Lee and Bob Ray from the same country?"
    assert agrees("No, Ann is Irish and Bob is Danish.", "no", polar)
    assert not agrees("Yes, no doubt.", "no", polar)


def test_agreement_is_worth_more_where_the_hops_are_surer_and_never_certain() -> None:
    chances = [both(chance / 10) for chance in range(11)]
    assert chances == sorted(chances) and chances[0] == 0.0 and chances[5] > 0.7 and both(0.99) < 1
