"""Secrets are blanked by shape and by value; ordinary text stays."""

from __future__ import annotations

import logging

import pytest

from pilotfish.redact import RedactingFilter, redact


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-CANARY_12345678.",
        "Incorrect API key provided: sk-CANA****************CANARY.",
        "Authorization: Bearer CANARYCANARY",
        "{'Authorization': 'Bearer CANARYCANARY'}",
        "authorization=Basic CANARYCANARY",
        "GET https://x/v1?key=CANARYCANARY&alt=1",
        'api_key="CANARYCANARY"',
        "x-api-key: CANARYCANARY",
        "password=CANARYCANARY",
        "redis://user:CANARYCANARY@redis:6379/0",
        "AIzaCANARYCANARYCANARYCANARYCANARY",
        "ghp_CANARYCANARYCANARY gsk_CANARYCANARYCANARY hf_CANARYCANARYCANARY",
        "eyJCANARYCANARY.eyJCANARYCANARY.CANARY",
    ],
)
def test_a_secret_of_known_shape_is_blanked(text: str) -> None:
    assert "CANARY" not in redact(text)
    assert "[redacted]" in redact(text)


def test_a_secret_of_the_environment_is_blanked_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "plain words 1")
    monkeypatch.setenv("SHORT_TOKEN", "page")
    assert redact("it said plain words 1 on page 3") == "it said [redacted] on page 3"


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens=512 is over the limit of 8192 tokens",
        "the bearer of this letter; basic needs; a task-list; risk-averse-people",
        "http://127.0.0.1:8900/v1 and see a/b@c",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_the_filter_blanks_messages_arguments_and_tracebacks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.getLogger("test.redact")
    log.addFilter(RedactingFilter())
    try:
        raise ValueError("sk-CANARYCANARY")
    except ValueError:
        log.exception("failed with %s", "Bearer CANARYCANARY")
    assert "CANARY" not in caplog.text
    assert "Traceback" in caplog.text
