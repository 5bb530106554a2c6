"""The LLM step over the wire, through LiteLLM: replies, receipts, secrets."""

from __future__ import annotations

import json
import logging
from importlib import resources
from typing import Any

import pytest
from tokenizers import Tokenizer

from pilotfish.errors import BudgetExceeded, PilotfishError
from pilotfish.settings import LLMSettings
from pilotfish.step import receipt, run
from pipeline import prices
from pipeline.llm import CallOptions
from store import ledger
from tests.llm_server import TEXT, USAGE
from tests.pipeline.llm.calling import COST, MODEL, PRICED, Caller, ask, code, money

pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:Item 'summary' on TypedDict"),  # as LiteLLM loads
]


def test_a_reply_becomes_the_answer_with_its_keys_and_its_money(caller: Caller) -> None:
    done = caller.llm(PRICED)(ask())
    assert done.answer is not None
    assert (done.answer.text, done.answer.model) == (TEXT, PRICED)
    assert done.answer.support is None
    event = money(done.trace)
    assert (event.llm_calls, event.prompt_tokens, event.completion_tokens) == (1, 100, 20)
    assert event.cost_usd == pytest.approx(COST)
    assert event.step == "llm:gpt-4o-mini"
    assert event.detail["cost_source"] == f"pilotfish {prices._table()['as_of']}"
    (row,) = caller.rows()
    assert (row.state, row.attempt, row.item_id) == ("done", 1, 7)
    assert row.id == event.detail["ledger_row"]
    assert row.created <= row.sent <= row.finished
    assert row.reserved_usd > COST
    assert caller.spent().cost_usd == pytest.approx(COST)


def test_one_request_arrives_with_the_ledgers_key_and_our_parameters(caller: Caller) -> None:
    caller.llm(max_tokens=33, temperature=0.5)(ask())
    (request,) = caller.server.requests
    assert request.key == caller.rows()[0].key
    assert request.body["max_tokens"] == 33
    assert request.body["temperature"] == 0.5
    assert [m["role"] for m in request.body["messages"]] == ["system", "user"]
    assert "stream" not in request.body


def test_the_same_call_again_is_replayed_and_pays_nothing(caller: Caller) -> None:
    first = caller.llm(PRICED)(ask())
    again = caller.llm(PRICED, item=8)(ask(max_calls=0, budget_usd=0.0))
    assert again.answer == first.answer
    event = money(again.trace)
    assert (event.llm_calls, event.prompt_tokens, event.cost_usd) == (0, 0, 0.0)
    assert event.detail["replayed"] is True
    assert event.detail["paid_before_usd"] == pytest.approx(COST)
    assert len(caller.server.requests) == len(caller.rows()) == 1


@pytest.mark.parametrize(
    "other", [{"max_tokens": 9}, {"temperature": 1.0}, {"sample": 1}, {"model": PRICED}]
)
def test_a_call_that_differs_is_another_call(caller: Caller, other: dict[str, Any]) -> None:
    caller.llm()(ask())
    caller.llm(**other)(ask())
    assert len(caller.server.requests) == 2


def test_an_unknown_price_is_none_and_never_zero(caller: Caller) -> None:
    done = run(caller.llm(), ask())
    event = money(done.trace)
    assert event.cost_usd is None
    assert event.detail["cost_source"] == "unknown"
    assert receipt(done.trace, 1).cost_usd is None
    assert caller.spent().cost_usd is None


def test_cached_tokens_are_billed_at_the_cached_price(caller: Caller) -> None:
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 64}}
    caller.server.script("usage:" + json.dumps(usage))
    event = money(caller.llm(PRICED)(ask()).trace)
    assert event.cost_usd == pytest.approx((36 * 0.15 + 64 * 0.075 + 20 * 0.6) / 1e6)
    assert caller.rows()[0].usage["prompt_tokens_details"]["cached_tokens"] == 64


@pytest.mark.parametrize("usage", ["null", '{"prompt_tokens": -5, "completion_tokens": -1}', "{}"])
def test_missing_or_impossible_usage_is_estimated_and_says_so(caller: Caller, usage: str) -> None:
    caller.server.script("usage:" + usage)
    event = money(caller.llm(PRICED)(ask()).trace)
    assert event.detail["cost_source"] == "estimated"
    assert 10 < event.prompt_tokens < 40
    assert 5 < event.completion_tokens < 30
    assert event.cost_usd is not None and event.cost_usd > 0


def test_usage_that_is_text_is_a_garbage_reply(caller: Caller) -> None:
    modes = ['usage:{"prompt_tokens": "many", "completion_tokens": "x"}'] * 3
    error = caller.fail(*modes, model=PRICED)
    assert code(error) == "garbage_reply"
    assert len(caller.server.requests) == 2


def test_the_options_come_from_the_settings_of_the_same_names() -> None:
    options = CallOptions.of(
        LLMSettings.model_validate({"api_base": "http://x", "timeout": 5, "on_unknown": "hold"})
    )
    assert options == CallOptions(api_base="http://x", timeout=5, on_unknown="hold")


@pytest.mark.parametrize(
    "modes",
    [
        ["ok"], ["429", "ok"], ["null", "ok"], ["null", "null"], ["truncated", "ok"],
        ["status:504", "ok"], ["status:502", "429", "status:524"], ["reset", "null", "ok"],
        ["drop"] * 3, ["hang:9", "ok"], ["length"], ["context"], ["error-in-200", "blank", "ok"],
    ],
    ids="-".join,
)  # fmt: skip
@pytest.mark.parametrize("model", [MODEL, PRICED])
def test_the_trace_and_the_ledger_give_the_same_receipt(
    caller: Caller, modes: list[str], model: str
) -> None:
    caller.server.script(*modes)
    try:
        trace = run(caller.llm(model, timeout=0.5), ask()).trace
    except PilotfishError as error:
        trace = error.trace
    told, (calls, bill) = receipt(trace, 0.0), caller.receipt()
    assert told.llm_calls == calls
    assert (told.prompt_tokens, told.completion_tokens) == (
        bill.prompt_tokens, bill.completion_tokens,
    )  # fmt: skip
    assert told.cost_usd == (None if bill.cost_usd is None else pytest.approx(bill.cost_usd))
    assert len(caller.server.requests) == len(modes)


def test_an_attempt_that_a_killed_run_left_open_may_have_been_paid(caller: Caller) -> None:
    with caller.database.write() as connection:
        ledger.reserve(connection, caller.llm()._desk(ask()).call, ledger.Spender("", 7), 0.5)
    assert caller.receipt() == (1, ledger.Bill(cost_usd=None))


def test_attempts_at_one_reply_are_one_call_of_max_calls(caller: Caller) -> None:
    caller.server.script("null")
    first = caller.llm()(ask())
    assert money(first.trace).llm_calls == 2
    caller.llm()(ask("Another?", first.trace, max_calls=2))
    assert len(caller.server.requests) == 3


def test_a_replayed_call_counts_against_max_calls_as_it_did_when_paid(caller: Caller) -> None:
    caller.llm()(ask())
    again = caller.llm()(ask())
    assert money(again.trace).llm_calls == 0
    assert isinstance(caller.fail(case=ask("Another?", again.trace)), BudgetExceeded)


SCRIPTS = ["退货政策" * 50, "12,50; 3.20 | 120\n" * 30, "Goods may be returned. " * 30,
           "ยินดีต้อนรับ" * 30, "Возврат товаров. " * 30]  # fmt: skip


@pytest.mark.parametrize("text", SCRIPTS)
def test_what_is_reserved_for_other_models_is_more_than_their_tokenisers_count(
    caller: Caller, text: str
) -> None:
    call = caller.llm("anthropic/claude-haiku-4-5")._desk(ask(text)).call
    quote = caller.llm("anthropic/claude-haiku-4-5")._quote(call, exact=True)
    held = resources.files("litellm.litellm_core_utils.tokenizers")
    theirs = Tokenizer.from_str((held / "anthropic_tokenizer.json").read_text(encoding="utf-8"))
    counted = sum(len(theirs.encode(message["content"]).ids) for message in call.messages)
    assert quote.price is not None and counted < quote.most_tokens < 4 * counted
    assert quote.usd == quote.price.cost(quote.most_tokens, 512)


def test_openais_models_are_reserved_for_by_their_own_count(caller: Caller) -> None:
    quote = caller.llm(PRICED)._quote(caller.llm(PRICED)._desk(ask()).call, exact=True)
    assert quote.most_tokens == quote.prompt_tokens
    other = caller.llm(MODEL)._quote(caller.llm(MODEL)._desk(ask()).call, exact=True)
    assert other.most_tokens > other.prompt_tokens, "an OpenAI-compatible server may hold any"


MODES = [
    "429", "status:500", "status:401", "status:403", "status:404", "status:400", "context",
    "policy", "error-in-200", "hang:3", "reset", "truncated", "html", "null",
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_the_key_appears_nowhere(
    caller: Caller, mode: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        error = caller.fail(*[mode] * 3, timeout=0.3, attempts=2)
    printed = capfd.readouterr()
    assert printed.out == ""
    seen: list[object] = [error.trace, caller.rows(), caplog.text, printed.err]
    link: BaseException | None = error
    while link is not None:
        seen += [str(link), repr(link), link.args]
        link = link.__cause__ or link.__context__
    assert "canary" not in repr(seen)
    assert error.__cause__ is None and error.__context__ is None
