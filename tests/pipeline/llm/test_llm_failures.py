"""What fails over the wire is typed, retried where that helps, and billed as it may have been."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from pilotfish.errors import ModelError, SettingsError
from pilotfish.step import run
from pilotfish.types import Case, Question
from pipeline.llm_errors import by_status
from tests.llm_server import TEXT
from tests.pipeline.llm.calling import COST, PRICED, Caller, ask, code, money

pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:Item 'summary' on TypedDict"),  # as LiteLLM loads
]


@pytest.mark.parametrize("mode", ["429:7", "status:500", "status:503", "status:529", "status:521"])
def test_a_passing_refusal_is_retried_and_costs_nothing(caller: Caller, mode: str) -> None:
    caller.server.script(mode, mode)
    done = run(caller.llm(PRICED), ask())
    assert done.answer is not None and not done.answer.degraded
    event = money(done.trace)
    assert event.detail["attempts"] == 3
    assert event.cost_usd == pytest.approx(COST)
    assert event.detail["possibly_paid_twice"] == 0
    assert caller.states() == ["failed", "failed", "done"]
    assert [row.attempt for row in caller.rows()] == [1, 2, 3]
    assert caller.waits[0] == 7 if mode == "429:7" else 0.25 <= caller.waits[0] <= 0.5


GATEWAYS = [f"status:{status}" for status in (408, 502, 504, 520, 522, 523, 524)]


@pytest.mark.parametrize("mode", [*GATEWAYS, "error-in-200"])
def test_what_a_gateway_refused_may_have_been_paid(caller: Caller, mode: str) -> None:
    caller.server.script(mode)
    event = money(caller.llm(PRICED)(ask()).trace)
    assert caller.states() == ["unknown", "done"]
    assert (event.llm_calls, event.detail["possibly_paid_twice"]) == (2, 1)
    error = caller.fail(mode, case=ask("Held?"), on_unknown="hold")
    assert code(error) == "unknown_outcome"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("429", "rate_limited"), ("status:500", "server_error")],
)
def test_after_the_last_attempt_the_error_is_typed(
    caller: Caller, mode: str, expected: str
) -> None:
    error = caller.fail(*[mode] * 5)
    assert isinstance(error, ModelError) and error.retryable
    assert code(error) == expected
    assert len(caller.server.requests) == 3
    assert caller.states() == ["failed"] * 3
    event = money(error.trace)
    assert (event.llm_calls, event.cost_usd, event.detail["attempts"]) == (0, 0.0, 3)
    assert len(caller.waits) == 2


def test_retry_after_may_be_a_date_and_is_capped(caller: Caller) -> None:
    in_20 = formatdate(time.time() + 20, usegmt=True)
    caller.server.script(f"429:{in_20}", "429:9000")
    caller.llm()(ask())
    assert 15 < caller.waits[0] <= 20
    assert caller.waits[1] == 60


def test_a_retry_after_beyond_the_deadline_is_not_waited_for(caller: Caller) -> None:
    error = caller.fail("429:30", case=ask(deadline=20))
    assert code(error) == "rate_limited"
    assert caller.waits == []


@pytest.mark.parametrize(
    ("mode", "kind", "expected", "mend"),
    [
        ("status:401", SettingsError, "configuration", "OPENAI_API_KEY"),
        ("status:403", SettingsError, "configuration", "OPENAI_API_KEY"),
        ("status:402", SettingsError, "configuration", "credit"),
        ("status:404", SettingsError, "configuration", "llm.model"),
        ("status:400", ModelError, "bad_request", "llm.model"),
        ("context", ModelError, "context_too_long", "prompt_tokens"),
        ("policy", ModelError, "content_filter", "refuses"),
    ],
)
def test_a_lasting_refusal_is_not_retried(
    caller: Caller, mode: str, kind: type, expected: str, mend: str
) -> None:
    error = caller.fail(mode)
    assert type(error) is kind
    assert code(error) == expected
    assert mend in str(error)
    assert "\n" not in str(error)
    assert len(caller.server.requests) == 1
    assert caller.states() == ["failed"]
    assert caller.spent().cost_usd == 0


def test_no_credit_left_is_told_from_a_rate_limit() -> None:
    assert by_status(429, "insufficient_quota").code == "quota"
    assert by_status(429, "Rate limit reached").code == "rate_limited"


@pytest.mark.parametrize("mode", ["truncated", "html", "empty", "list", "no-choices"])
def test_garbage_is_retried_once_and_billed_at_its_dearest(caller: Caller, mode: str) -> None:
    error = caller.fail(*[mode] * 5, model=PRICED)
    assert code(error) == "garbage_reply"
    assert len(caller.server.requests) == 2
    assert caller.states() == ["failed", "failed"]
    event = money(error.trace)
    assert event.llm_calls == 2
    assert event.cost_usd is not None and event.cost_usd > 0
    assert caller.spent().cost_usd == pytest.approx(event.cost_usd)


@pytest.mark.parametrize(
    ("mode", "expected", "requests"),
    [
        ("null", "empty_reply", 2),
        ("blank", "empty_reply", 2),
        ("length", "empty_reply", 1),
        ("filtered", "content_filter", 1),
    ],
)
def test_a_paid_reply_of_no_use_keeps_its_bill_and_is_not_replayed(
    caller: Caller, mode: str, expected: str, requests: int
) -> None:
    error = caller.fail(*[mode] * requests, model=PRICED)
    assert code(error) == expected
    assert len(caller.server.requests) == requests
    assert caller.states() == ["failed"] * requests
    assert all(row.reply and row.cost_usd == pytest.approx(COST) for row in caller.rows())
    assert money(error.trace).cost_usd == pytest.approx(requests * COST)
    assert caller.spent().cost_usd == pytest.approx(requests * COST)
    done = caller.llm(PRICED)(ask())
    assert done.answer is not None and done.answer.text == TEXT


def test_garbage_then_a_reply_is_two_paid_attempts_with_both_bills(caller: Caller) -> None:
    caller.server.script("null")
    event = money(caller.llm(PRICED)(ask()).trace)
    assert (event.llm_calls, event.detail["attempts"]) == (2, 2)
    assert event.cost_usd == pytest.approx(2 * COST)
    assert event.error is None


def test_a_timeout_may_have_been_paid_and_is_counted(caller: Caller) -> None:
    caller.server.script("hang:9")
    event = money(caller.llm(PRICED, timeout=0.4)(ask()).trace)
    assert event.detail["possibly_paid_twice"] == 1
    assert event.detail["possibly_paid_usd"] == pytest.approx(caller.rows()[0].reserved_usd)
    assert event.cost_usd == pytest.approx(COST)
    assert caller.states() == ["unknown", "done"]


def test_a_call_that_only_timed_out_has_an_unknown_cost(caller: Caller) -> None:
    error = caller.fail("hang:9", "hang:9", model=PRICED, timeout=0.3, attempts=2)
    assert code(error) == "timeout"
    assert len(caller.server.requests) == 2
    event = money(error.trace)
    assert (event.llm_calls, event.cost_usd) == (2, None)
    assert event.detail["possibly_paid_twice"] == 2
    assert caller.spent().cost_usd is None


@pytest.mark.parametrize("mode", ["hang:9", "reset", "drop"])
def test_with_hold_an_unknown_outcome_ends_the_call_and_stays_refused(
    caller: Caller, mode: str
) -> None:
    error = caller.fail(mode, on_unknown="hold", timeout=0.4)
    assert isinstance(error, ModelError) and not error.retryable
    assert code(error) == "unknown_outcome"
    assert "on_unknown" in str(error)
    assert caller.states() == ["unknown"]
    assert code(caller.fail(on_unknown="hold")) == "unknown_outcome"
    assert len(caller.server.requests) == 1


@pytest.mark.parametrize("mode", ["reset", "drop"])
def test_a_broken_connection_is_retried_and_counted(caller: Caller, mode: str) -> None:
    caller.server.script(mode)
    event = money(caller.llm()(ask()).trace)
    assert event.detail["possibly_paid_twice"] == 1
    assert caller.states() == ["unknown", "done"]


def test_a_refused_connection_was_not_paid_even_with_hold(caller: Caller) -> None:
    error = caller.fail(api_base="http://127.0.0.1:9/v1", on_unknown="hold")
    assert code(error) == "connection"
    assert caller.states() == ["failed"] * 3
    assert money(error.trace).cost_usd == 0


def test_a_server_that_drips_is_cut_off(caller: Caller) -> None:
    clock = time.monotonic()
    error = caller.fail("drip:20", timeout=0.5, attempts=1)
    assert time.monotonic() - clock < 3
    assert code(error) == "timeout"
    assert caller.states() == ["unknown"]


def test_a_missing_key_stops_the_job_and_names_the_variable(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    error = caller.fail()
    assert isinstance(error, SettingsError)
    assert "OPENAI_API_KEY" in str(error)
    assert caller.server.requests == []


@pytest.mark.parametrize("model", ["no-such-model", "nosuchprovider/x"])
def test_a_model_without_a_provider_stops_the_job(caller: Caller, model: str) -> None:
    error = caller.fail(model=model)
    assert isinstance(error, SettingsError)
    assert model in str(error)


def test_nothing_to_send_is_said(caller: Caller) -> None:
    error = caller.fail(case=Case(Question("q")))
    assert "nothing to send" in str(error)
    assert caller.rows() == []
