"""No more calls, dollars or seconds than were allowed."""

from __future__ import annotations

import threading
import time

import pytest

from pilotfish.errors import BudgetExceeded
from pipeline.llm_ledger import Desk
from tests.pipeline.llm.calling import MODEL, PRICED, Caller, ask, code

pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:Item 'summary' on TypedDict"),  # as LiteLLM loads
]


def test_effort_0_sends_nothing_whatever_max_calls_allows(caller: Caller) -> None:
    error = caller.fail(case=ask(effort=0.0, max_calls=5))
    assert isinstance(error, BudgetExceeded)
    assert "effort 0" in str(error)
    assert not caller.server.requests


def test_no_more_calls_than_max_calls(caller: Caller) -> None:
    case = caller.llm()(ask())
    error = caller.fail(case=ask("Another?", case.trace))
    assert isinstance(error, BudgetExceeded)
    assert "max_calls is 1" in str(error)
    assert len(caller.server.requests) == 1
    two = caller.llm()(ask("Another?", case.trace, max_calls=2))
    assert sum(event.llm_calls for event in two.trace) == 2


def test_refused_attempts_are_no_calls(caller: Caller) -> None:
    error = caller.fail(*["429"] * 3)
    caller.llm(PRICED)(ask(trace=error.trace))
    assert len(caller.server.requests) == 4


def test_a_budget_that_does_not_fit_refuses_before_anything_is_sent(caller: Caller) -> None:
    error = caller.fail(case=ask(budget_usd=0.0001), model=PRICED)
    assert isinstance(error, BudgetExceeded)
    assert "budget_usd=0.0001" in str(error)
    assert caller.rows() == [] and caller.server.requests == []


def test_the_budget_counts_what_was_spent_before(caller: Caller) -> None:
    first = caller.llm(PRICED)(ask(budget_usd=0.00033, max_calls=2))
    case = ask("Another?", first.trace, budget_usd=0.00033, max_calls=2)
    assert isinstance(caller.fail(case=case, model=PRICED), BudgetExceeded)
    case = ask("Another?", first.trace, budget_usd=0.00036, max_calls=2)
    assert caller.llm(PRICED)(case).answer


def test_a_retry_that_no_longer_fits_the_budget_is_not_made(caller: Caller) -> None:
    error = caller.fail("hang:9", case=ask(budget_usd=0.00034), model=PRICED, timeout=0.3)
    assert code(error) == "timeout"
    assert len(caller.server.requests) == 1


def test_a_budget_and_an_unknown_price_is_refused_with_the_mend(caller: Caller) -> None:
    error = caller.fail(case=ask(budget_usd=5.0))
    assert isinstance(error, BudgetExceeded)
    assert "prices.json" in str(error) and MODEL in str(error)


def test_a_deadline_that_has_passed_sends_nothing(caller: Caller) -> None:
    error = caller.fail(case=ask(deadline=0.0))
    assert code(error) == "deadline"
    assert caller.rows() == []


def test_past_the_deadline_nothing_is_waited_for_and_nothing_sent(caller: Caller) -> None:
    error = caller.fail("hang:9", case=ask(deadline=0.4))
    assert code(error) == "deadline" and caller.waits == []
    assert len(caller.server.requests) == 1


def test_a_request_is_given_no_longer_than_the_deadline_leaves(caller: Caller) -> None:
    caller.llm()(ask("To have LiteLLM loaded."))
    before = set(threading.enumerate())
    caller.fail("hang:9", case=ask(deadline=0.5), timeout=60)
    time.sleep(1)
    left = {each for each in threading.enumerate() if each.name == "pilotfish-llm"} - before
    assert not left


def test_a_claim_that_took_all_the_time_sends_nothing(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Desk.claim

    def slow(desk: Desk, usd: float | None, tokens: int, patience: float) -> object:
        time.sleep(0.4)
        return claim(desk, usd, tokens, patience)

    monkeypatch.setattr(Desk, "claim", slow)
    assert code(caller.fail(case=ask(deadline=0.3))) == "deadline"
    assert caller.states() == ["failed"] and caller.server.requests == []


def test_the_deadline_cuts_a_call_short(caller: Caller) -> None:
    clock = time.monotonic()
    error = caller.fail("hang:9", case=ask(deadline=0.6))
    assert time.monotonic() - clock < 2
    assert code(error) == "deadline"
    assert caller.states() == ["unknown"]
