"""Equal calls at once, kills, and documents that change while a call is in flight."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from store import documents, ledger, schema
from tests.llm_server import TEXT
from tests.pipeline.llm.calling import COST, PRICED, ROOT, Caller, ask, code, money
from tests.store.made import document

pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:Item 'summary' on TypedDict"),  # as LiteLLM loads
]


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
        ledger.reserve(connection, call, ledger.Spender("", 7), None)
        values = {"owner": "gone-host:1:1", "sent": time.time() - ledger.STALE - 1}
        connection.execute(schema.ledger.update().values(**values))
    assert caller.llm()(ask()).answer
    assert caller.states() == ["unknown", "done"]


CHILD = """
import sys
from pathlib import Path
from store.database import Database
from tests.pipeline.llm.calling import ask
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
