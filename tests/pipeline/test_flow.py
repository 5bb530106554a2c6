from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from pilotfish.errors import BudgetExceeded, ModelError, PilotfishError
from pilotfish.step import Step, run
from pilotfish.types import Answer, Case, Event, Question
from pipeline.flow import Cascade, Chain, Loop, Route, better


def says(text: str, support: float | None = None, abstained: bool = False) -> Step:
    def step(case: Case) -> Case:
        return replace(case, answer=Answer(text, support=support, abstained=abstained))

    step.__name__ = text
    return step


@dataclass
class Fails:
    """A tier that spends a cent and then fails."""

    error: PilotfishError

    def __call__(self, case: Case, /) -> Case:
        self.error.trace = (*case.trace, Event("paid", 0.0, 0.0, llm_calls=1, cost_usd=0.01))
        raise self.error


def nothing(case: Case) -> Case:
    return case


def supported(threshold: float) -> Callable[[Case], bool]:
    return lambda case: bool(case.answer and (case.answer.support or 0) >= threshold)


START = Case(Question("Why?"))


def test_a_chain_runs_in_order_and_traces_each_step() -> None:
    done = Chain((says("one"), says("two")))(START)
    assert done.answer == Answer("two")
    assert [event.step for event in done.trace] == ["one", "two"]


@pytest.mark.parametrize(("hardness", "chosen"), [(0.2, "cheap"), (0.5, "strong"), (0.9, "strong")])
def test_a_route_goes_to_the_strong_step_from_the_threshold_on(
    hardness: float, chosen: str
) -> None:
    done = Route(lambda _: hardness, says("cheap"), says("strong"), 0.5)(START)
    assert done.answer == Answer(chosen)


def test_a_cascade_stops_at_the_first_accepted_answer() -> None:
    done = Cascade((says("first", 0.9), says("second", 1.0)), nothing, supported(0.8))(START)
    assert done.answer == Answer("first", support=0.9)
    assert done.notes["tiers"] == ["first"]


def test_a_cascade_climbs_and_keeps_the_best_supported_answer() -> None:
    tiers = (says("first", 0.6), says("second", 0.4))
    done = Cascade(tiers, nothing, supported(0.8))(START)
    assert done.answer == Answer("first", support=0.6)
    assert done.notes["tiers"] == ["first", "second"]


def test_an_answer_that_was_given_beats_one_that_was_withheld() -> None:
    given, withheld = Answer("a", support=0.5), Answer("b", support=0.9, abstained=True)
    assert better(given, withheld) == given
    assert better(None, withheld) == withheld


def test_a_tier_that_fails_ends_alone_and_its_cost_stays_in_the_trace() -> None:
    tiers = (says("first", 0.6), Fails(ModelError("no reply")), says("third", 0.7))
    done = Cascade(tiers, nothing, supported(0.8))(START)
    assert done.answer is not None
    assert done.answer.text == "third"
    assert sum(event.llm_calls for event in done.trace) == 1


def test_a_refused_budget_ends_the_climb_and_keeps_the_answer() -> None:
    tiers = (says("first", 0.6), Fails(BudgetExceeded("no money")), says("third", 0.9))
    done = Cascade(tiers, nothing, supported(0.8))(START)
    assert done.answer is not None
    assert done.answer.text == "first"


@pytest.mark.parametrize("error", [ModelError("no reply"), BudgetExceeded("no money")])
def test_an_outage_is_never_made_an_abstention(error: PilotfishError) -> None:
    tiers = (says("first", 0.2, abstained=True), Fails(error))
    with pytest.raises(type(error)) as caught:
        Cascade(tiers, nothing, supported(0.8))(START)
    assert caught.value is error
    assert [event.step for event in error.trace] == ["first", "nothing", "paid", "fails"]


def test_a_later_tier_that_looked_makes_an_outage_good() -> None:
    tiers = (Fails(ModelError("no reply")), says("second", 0.2, abstained=True))
    done = run(Cascade(tiers, nothing, supported(0.8)), START)
    assert done.answer is not None
    assert (done.answer.text, done.answer.abstained, done.answer.degraded) == ("second", True, True)


def test_an_outage_before_a_tier_that_broke_is_raised_with_the_whole_trace() -> None:
    def breaks(case: Case) -> Case:
        raise ZeroDivisionError

    with pytest.raises(ModelError) as caught:
        Cascade((Fails(ModelError("no reply")), breaks), nothing, supported(0.8))(START)
    assert "breaks" in [event.step for event in caught.value.trace]


def test_when_every_tier_fails_the_last_error_is_raised_with_the_whole_trace() -> None:
    tiers = (Fails(ModelError("one")), Fails(ModelError("two")))
    with pytest.raises(ModelError, match="two") as caught:
        Cascade(tiers, nothing, supported(0.8))(START)
    assert sum(event.llm_calls for event in caught.value.trace) == 2


def test_a_loop_ends_when_its_condition_holds_or_after_its_turns() -> None:
    def more(case: Case) -> Case:
        return replace(case, answer=Answer((case.answer.text if case.answer else "") + "x"))

    done = Loop(more, lambda case: bool(case.answer and len(case.answer.text) >= 2), at_most=5)(
        START
    )
    assert done.answer == Answer("xx")
    assert Loop(more, lambda _: False, at_most=3)(START).answer == Answer("xxx")
