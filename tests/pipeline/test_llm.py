"""The LLM step over the wire, through LiteLLM, against a server that misbehaves on cue."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tokenizers import Tokenizer

from pilotfish.errors import BudgetExceeded, ModelError, PilotfishError, SettingsError
from pilotfish.settings import LLMSettings
from pilotfish.step import receipt, run
from pilotfish.types import Case, Event, Limits, Message, Passage, Prompt, Question
from pipeline import prices
from pipeline.llm import LLM, CallOptions
from pipeline.llm_errors import by_status
from pipeline.llm_ledger import Desk
from pipeline.purse import Purse
from store import collections, documents, ledger, schema
from store.database import Database
from tests.llm_server import TEXT, USAGE, LLMServer
from tests.store.made import document

pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:Item 'summary' on TypedDict"),  # as LiteLLM loads
]

MODEL = "openai/test-model"
PRICED = "openai/gpt-4o-mini"  # 0.15, cached 0.075, output 0.6 USD per million
COST = (100 * 0.15 + 20 * 0.6) / 1e6
CANARY = "sk-canary-0123456789abcdef"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as server:
        yield server


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the one passage that is quoted, made once: the migration takes long."""
    path = tmp_path_factory.mktemp("migrated") / "pilotfish.db"
    database = Database(path, create=True)
    with database.write() as connection:
        collections.ensure(connection, "default", "e", 100)
        documents.put(connection, 1, 1, document("returns.md", "30 days."))
    database.close()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(migrated, tmp_path / "pilotfish.db")
    database = Database(tmp_path / "pilotfish.db", create=False)
    yield database
    database.close()


class Caller:
    """An LLM at the server, its database, and the waits that it asked for."""

    def __init__(self, server: LLMServer, database: Database) -> None:
        self.server, self.database = server, database
        self.waits: list[float] = []

    def doze(self, seconds: float) -> None:
        """Note the wait, and be past it."""
        self.waits.append(seconds)
        with self.database.write() as connection:
            connection.execute(schema.rates.update().values(blocked_until=None))

    def llm(self, model: str = MODEL, item: int | None = 7, **options: Any) -> LLM:
        options = {"api_base": self.server.url, "timeout": 10.0, **options}
        purse = Purse(self.database, "default", 1, item)
        return LLM(model, purse, CallOptions(**options), sleep=self.doze)

    def fail(self, *modes: str, case: Case | None = None, **options: Any) -> PilotfishError:
        self.server.script(*modes)
        with pytest.raises(PilotfishError) as caught:
            run(self.llm(**options), case or ask())
        return caught.value

    def rows(self) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(select(schema.ledger).order_by(schema.ledger.c.id)))

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def spent(self) -> ledger.Bill:
        return self.receipt()[1]

    def receipt(self) -> tuple[int, ledger.Bill]:
        """What the ledger says of the item."""
        with self.database.read() as connection:
            return ledger.spent(connection, 7)


@pytest.fixture
def caller(server: LLMServer, database: Database) -> Caller:
    return Caller(server, database)


def ask(text: str = "How long?", trace: tuple[Event, ...] = (), **limits: Any) -> Case:
    messages = (Message("system", "Cite keys."), Message("user", f"[k7f2] 30 days. {text}"))
    prompt = Prompt(messages, {"k7f2": 1})
    passages = (Passage(1, "30 days.", "returns.md", 0, 8),)
    return Case(Question(text, limits=Limits(**limits)), passages, prompt=prompt, trace=trace)


def money(trace: tuple[Event, ...]) -> Event:
    return next(event for event in trace if "ledger_row" in event.detail)


def code(error: PilotfishError) -> str:
    return error.code


# --- the good way --------------------------------------------------------------------------


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


# --- failures ------------------------------------------------------------------------------


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


# --- limits --------------------------------------------------------------------------------


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


# --- concurrency, crashes, deletion --------------------------------------------------------


def test_eight_equal_calls_at_once_are_one_request(caller: Caller) -> None:
    caller.server.latency = 0.3
    with ThreadPoolExecutor(8) as pool:
        cases = list(pool.map(lambda _: caller.llm(PRICED)(ask()), range(8)))
    assert len(caller.server.requests) == 1
    assert {case.answer for case in cases} == {cases[0].answer}
    assert sum(money(case.trace).llm_calls for case in cases) == 1
    assert caller.states() == ["done"]


def test_different_calls_do_not_wait_for_each_other(caller: Caller) -> None:
    caller.server.latency = 0.4
    clock = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: caller.llm()(ask(f"Question {n}?")), range(8)))
    assert time.monotonic() - clock < 2
    assert len(caller.server.requests) == 8


def test_waiting_for_an_equal_call_ends_with_the_timeout(caller: Caller) -> None:
    caller.server.script("hang:9")
    slow = threading.Thread(target=lambda: caller.llm(attempts=1, timeout=3)(ask()), daemon=True)
    slow.start()
    assert caller.server.arrived.wait(5)
    error = caller.fail(timeout=0.2)
    assert code(error) == "timeout"
    assert len(caller.server.requests) == 1


def test_a_row_sent_long_ago_by_another_host_is_unknown(caller: Caller) -> None:
    call = caller.llm()._desk(ask()).call
    with caller.database.write() as connection:
        row = ledger.reserve(connection, call, ledger.Spender("", 7), None)
        ledger.mark_sent(connection, row)
        values = {"owner": "gone-host:1:1", "sent": time.time() - ledger.STALE - 1}
        connection.execute(schema.ledger.update().values(**values))
    assert caller.llm()(ask()).answer
    assert caller.states() == ["unknown", "done"]


CHILD = """
import sys
from pathlib import Path
from store.database import Database
from tests.pipeline.test_llm import ask
from pipeline.llm import LLM, CallOptions
from pipeline.purse import Purse
database = Database(Path(sys.argv[1]), create=False)
purse = Purse(database, "default", 1, 7)
LLM("openai/gpt-4o-mini", purse, CallOptions(api_base=sys.argv[2]))(ask())
"""


def test_a_kill_between_sent_and_reply_leaves_an_unknown_outcome(caller: Caller) -> None:
    caller.server.script("hang:30")
    path = str(caller.database.path)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, path, caller.server.url],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert caller.server.arrived.wait(50)
    assert caller.states() == ["sent"]
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert code(caller.fail(model=PRICED, on_unknown="hold")) == "unknown_outcome"
    assert caller.states() == ["unknown"]
    event = money(caller.llm(PRICED)(ask()).trace)
    assert event.detail["possibly_paid_twice"] == 1
    assert event.detail["possibly_paid_usd"] == caller.rows()[0].reserved_usd > 0
    assert len(caller.server.requests) == 2
    assert caller.states() == ["unknown", "done"]


def test_an_interrupt_while_waiting_leaves_the_row_unknown(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.llm.within", interrupted)
    with pytest.raises(KeyboardInterrupt):
        caller.llm()(ask())
    assert caller.states() == ["unknown"]


def test_a_reply_stored_but_never_read_is_read_again(caller: Caller) -> None:
    call = caller.llm()._desk(ask()).call
    with caller.database.write() as connection:
        row = ledger.reserve(connection, call, ledger.Spender("", 7), None)
        ledger.mark_done(connection, row, '{"choices": []}', ledger.Bill(1, 1, 0.5, "x"))
    assert caller.llm()(ask()).answer
    assert caller.states() == ["failed", "done"]


def put(caller: Caller, text: str) -> None:
    with caller.database.write() as connection:
        documents.put(connection, 1, 2, document("returns.md", text))


def remove(caller: Caller) -> None:
    with caller.database.write() as connection:
        documents.drop(connection, 1, 2, ["returns.md"])


def test_removing_a_document_wipes_the_reply_and_keeps_the_money(caller: Caller) -> None:
    caller.llm(PRICED)(ask())
    assert caller.rows()[0].reply
    remove(caller)
    (row,) = caller.rows()
    assert row.reply is None
    assert row.cost_usd == pytest.approx(COST)


@pytest.mark.parametrize("change", [remove, lambda caller: put(caller, "60 days.")])
def test_a_reply_to_a_document_changed_in_flight_is_not_kept(
    caller: Caller, change: Callable[[Caller], None]
) -> None:
    def respond(_: object) -> str:
        change(caller)
        return TEXT

    caller.server.respond = respond
    assert caller.llm(PRICED)(ask()).answer
    (row,) = caller.rows()
    assert (row.state, row.reply) == ("done", None)
    assert row.cost_usd == pytest.approx(COST)


@pytest.mark.parametrize("change", [remove, lambda caller: put(caller, "60 days.")])
def test_a_reply_to_a_document_changed_before_the_call_is_not_kept(
    caller: Caller, change: Callable[[Caller], None]
) -> None:
    change(caller)  # after retrieval: the case holds the old passage
    caller.llm(PRICED)(ask())
    assert [row.reply for row in caller.rows()] == [None]
    with caller.database.read() as connection:
        assert connection.execute(select(schema.mentions)).all() == []


# --- receipts ------------------------------------------------------------------------------


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
        row = ledger.reserve(connection, caller.llm()._desk(ask()).call, ledger.Spender("", 7), 0.5)
        ledger.mark_sent(connection, row)
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


# --- secrets -------------------------------------------------------------------------------

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
