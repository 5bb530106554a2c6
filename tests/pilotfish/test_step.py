"""The runner: what it writes into the trace, and what it does when a step breaks."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import pytest

from pilotfish.errors import InputError, ModelError, PilotfishError
from pilotfish.step import receipt, run, step_name
from pilotfish.types import Answer, Case, Event, Question

CASE = Case(Question("what?"))


def answering(case: Case, /) -> Case:
    return replace(case, answer=Answer("so"), notes={"why": "because"})


def buggy(case: Case, /) -> Case:
    raise ZeroDivisionError("a bug")


def refusing(case: Case, /) -> Case:
    raise InputError("mend it")


@dataclass(frozen=True)
class Named:
    name: str = "given"

    def __call__(self, case: Case, /) -> Case:
        return case


class Unnamed:
    def __call__(self, case: Case, /) -> Case:
        return case


def test_a_step_is_named_by_its_name_its_function_or_its_class() -> None:
    assert step_name(Named()) == "given" and step_name(Named("Other")) == "other"
    assert step_name(answering) == "answering" and step_name(Unnamed()) == "unnamed"


def test_a_run_adds_one_event_with_the_notes_and_clears_them() -> None:
    done = run(answering, CASE)
    (event,) = done.trace
    assert (event.step, event.error, dict(event.detail)) == ("answering", None, {"why": "because"})
    assert done.notes == {} and done.answer == Answer("so")
    assert 0 <= event.seconds < 5 and event.started > 1.7e9


def test_the_case_that_came_in_is_left_as_it_was() -> None:
    run(answering, CASE)
    assert Case(Question("what?")) == CASE


def test_the_events_of_children_come_before_their_parents() -> None:
    def parent(case: Case, /) -> Case:
        return run(Named("second"), run(Named("first"), case))

    before = run(Named("earlier"), CASE)
    assert [e.step for e in run(parent, before).trace] == ["earlier", "first", "second", "parent"]


def test_a_bug_is_skipped_traced_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    before = run(Named("earlier"), replace(CASE, notes={"kept": 1}))
    with caplog.at_level(logging.ERROR, "pilotfish.step"):
        done = run(buggy, before)
    assert done.trace[-1].error == "ZeroDivisionError: a bug"
    assert replace(done, trace=before.trace) == before
    assert "step buggy failed and was skipped" in caplog.text and "Traceback" in caplog.text


def test_an_answer_out_of_a_run_in_which_something_broke_is_degraded() -> None:
    before = run(answering, run(buggy, CASE))
    assert before.answer is not None and before.answer.degraded
    after = run(buggy, run(answering, CASE))
    assert after.answer is not None and after.answer.degraded
    sound = run(Named(), run(answering, CASE))
    assert sound.answer is not None and not sound.answer.degraded
    assert run(buggy, CASE).answer is None


def test_our_own_error_is_raised_with_the_trace_so_far() -> None:
    with pytest.raises(InputError, match="mend it") as caught:
        run(refusing, run(Named("earlier"), CASE))
    assert [(e.step, e.error) for e in caught.value.trace] == [
        ("earlier", None), ("refusing", "mend it")
    ]  # fmt: skip


def test_an_error_deep_inside_keeps_what_was_spent_on_the_way() -> None:
    def child(case: Case, /) -> Case:
        paid = Event("llm", 0.0, 1.0, llm_calls=1, prompt_tokens=7, cost_usd=0.25)
        error = ModelError("no reply")
        error.trace = (*case.trace, paid)
        raise error

    def parent(case: Case, /) -> Case:
        return run(child, run(Named("sibling"), case))

    with pytest.raises(PilotfishError) as caught:
        run(parent, run(Named("earlier"), CASE))
    trace = caught.value.trace
    assert [e.step for e in trace] == ["earlier", "sibling", "llm", "child", "parent"]
    assert receipt(trace, 0).cost_usd == 0.25


def test_an_error_does_not_hand_its_trace_to_the_next_of_its_kind() -> None:
    with pytest.raises(InputError):
        run(refusing, CASE)
    assert InputError("another").trace == () == PilotfishError.trace


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_wish_to_stop_is_not_swallowed(stop: type[BaseException]) -> None:
    def stopping(case: Case, /) -> Case:
        raise stop

    with pytest.raises(stop):
        run(stopping, CASE)


def paid(cost: float | None, calls: int = 1) -> Event:
    return Event("llm", 0.0, 1.0, calls, 10, 5, cost)


def test_a_receipt_adds_up() -> None:
    trace = (paid(0.1), Event("bm25", 0.0, 0.5), paid(0.2))
    found = receipt(trace, 1.23456)
    assert (found.llm_calls, found.prompt_tokens, found.completion_tokens) == (2, 20, 10)
    assert found.cost_usd == 0.3 and found.seconds == 1.2346


def test_one_unknown_price_makes_the_whole_cost_unknown() -> None:
    assert receipt((paid(0.1), paid(None)), 0).cost_usd is None
    assert receipt((), 0).cost_usd == 0.0
