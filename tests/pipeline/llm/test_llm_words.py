"""What people read of a provider's complaint: one clear line that names the model and the mend."""

from __future__ import annotations

import re

import pytest

from pilotfish.redact import redact
from pipeline.llm_words import said_in, words_of
from tests.pipeline.llm.calling import CANARY, MODEL, Caller

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
