"""What people read of a provider's complaint: one clear line that names the model and the mend."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pilotfish.redact import redact
from pipeline.llm_words import said_in, words_of
from tests.llm_server import MODES, completion
from tests.pipeline.llm.calling import CANARY, MODEL, Caller, ask

LIBRARIES = re.compile(r"litellm\.|\w(?:Error|Exception)\b|Traceback|<html|\{'|Errno", re.I)
BAD = ("status:401", "status:403", "status:402", "status:404", "status:400", "status:422", "429",
       "status:500", "status:503", "status:504", "context", "policy", "truncated", "html", "empty",
       "no-choices", "null", "list", "length", "filtered", "error-in-200", "reset", "drop",
       "hang:9")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mode", BAD)
def test_every_failure_is_one_clear_line(caller: Caller, mode: str) -> None:
    told = str(caller.fail(*[mode] * 5, timeout=0.4))
    assert told.startswith(f"{MODEL}: ") and told.count(": ") >= 2, told
    assert not LIBRARIES.search(told) and "\n" not in told and CANARY not in told, told
    assert told.count("[") == told.count("]") and told.count("(") == told.count(")"), told
    if mode.startswith("status:"):
        assert f"HTTP {mode[7:]}" in told


def _in_part(handler: Any, _: str) -> None:
    """As OpenAI repeats a key: its begin and its end."""
    text = f"Incorrect API key provided: {CANARY[:14]}{'*' * 20}{CANARY[-4:]}."
    error = {"message": text, "type": "invalid_request_error", "code": "invalid_api_key"}
    handler.send(401, json.dumps({"error": error}).encode())


def test_a_key_that_is_repeated_in_part_is_blanked(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODES, "in-part", _in_part)
    told = str(caller.fail("in-part"))
    assert "HTTP 401: Incorrect API key provided: [redacted]" in told
    assert "canary" not in told and CANARY[-4:] not in told and "OPENAI_API_KEY" in told


def test_a_key_that_stands_in_a_paid_reply_is_not_stored(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    echo = {**completion(), "model": CANARY, "id": CANARY, "system_fingerprint": CANARY}
    body = json.dumps(echo).encode()
    monkeypatch.setitem(MODES, "echo", lambda handler, _: handler.send(200, body))
    caller.server.script("echo")
    caller.llm()(ask())
    (row,) = caller.rows()
    assert row.state == "done" and CANARY not in str(row) and "[redacted]" in row.reply


class APIStatusError(Exception):
    """As the SDKs raise it."""

    def __init__(self, text: str, body: object = None) -> None:
        super().__init__(text)
        self.body = body


@pytest.mark.parametrize(("text", "said"), [
    ("litellm.RateLimitError: RateLimitError: OpenAIException - Slow down.", "Slow down"),
    ("litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: "
     "OpenAIException - too long", "too long"),
    ("litellm.Timeout: APITimeoutError - Request timed out. Error_str: Timed out. - timeout "
     "value=1.0, time taken=1.0 seconds", "Request timed out"),
    ("litellm.InternalServerError: AnthropicException - Overloaded. Handle with "
     "`litellm.InternalServerError`.", "Overloaded"),
    ("litellm.APIError: APIError: OpenAIException - <html><body>no</body></html>", ""),
    ("Timeout reached while waiting: try later", "Timeout reached while waiting: try later"),
])  # fmt: skip
def test_classes_and_advice_of_libraries_are_left_out(text: str, said: str) -> None:
    assert words_of([Exception(text)]) == said


@pytest.mark.parametrize(("body", "said"), [
    ({"error": {"message": "No.", "code": 3}}, "No"), ({"message": "No."}, "No"),
    ({"error": "No."}, "No"), ({"detail": "No."}, "No"), ("No.", "No"),
    ("<html>No.</html>", ""), ({"error": {"message": {"sent": "x"}}}, ""), (None, ""), ([1], ""),
])  # fmt: skip
def test_the_providers_own_words_are_found_in_any_error_object(body: object, said: str) -> None:
    assert said_in(body) == said
    inner = APIStatusError("Error code: 400 - {'error': 1}", body)
    assert words_of([Exception("litellm.BadRequestError: outer"), inner]) == (said or "outer")


@pytest.mark.parametrize("text", [
    "sent: Bearer abcdefgh12345", "(sent: Bearer abcdefgh12345)", "(token: abcdefgh12345)",
    "{'Authorization': 'Bearer abcd'}", "Authorization: Basic YWJjZGVmZ2g6MTIzNDU2",
    "[api_key=abcdefgh12345]",
    "the key sk-abcdefgh12345 is bad", "pf-" + "a" * 43,
])  # fmt: skip
def test_what_is_blanked_twice_is_as_if_it_were_once(text: str) -> None:
    once = redact(text)
    assert once != text and redact(once) == once
    assert once.count("[") == once.count("]") and once.count("(") == once.count(")")
