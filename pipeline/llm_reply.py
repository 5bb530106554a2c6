"""Reads a stored raw reply: its text, or why it is of no use, and what it used.

A fresh reply and a replayed one are read by the same code, from the JSON in the ledger.
Nothing here raises: a provider may send anything. Not here: prices and storing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipeline.llm_errors import Failure
from pipeline.llm_words import one_line, said_in


@dataclass(frozen=True, slots=True)
class Reply:
    """Text as the model wrote it, and why it stopped."""

    text: str
    finish: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens; `cached` are those of the prompt that were read from the provider's cache."""

    prompt: int
    completion: int
    cached: int = 0


def parse(raw: str) -> Reply | Failure:
    """The reply's text, or a Failure: empty, filtered, garbage, an error object."""
    body = _load(raw)
    error = body.get("error")
    if error:
        said = one_line(f"an error inside a 200: {said_in(error) or error}")
        return Failure("server_error", said, "once")
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return Failure("garbage_reply", "the reply has no choices", "once")
    message, finish = first.get("message"), str(first.get("finish_reason") or "")
    text = message.get("content") if isinstance(message, dict) else None
    if finish == "content_filter":
        return Failure("content_filter", "the provider filtered the answer")
    if isinstance(text, str) and text.strip():
        return Reply(text, finish)
    if finish == "length":  # the same again would end the same way
        return Failure("empty_reply", "max_tokens were used up before the first word")
    return Failure("empty_reply", "the reply is empty", "once")


def usage(raw: str) -> Usage | None:
    """The usage as reported; None when it is missing or cannot be true."""
    found = _load(raw).get("usage")
    if not isinstance(found, dict):
        return None
    prompt, completion = _count(found.get("prompt_tokens")), _count(found.get("completion_tokens"))
    if not prompt or completion is None:  # LiteLLM fills in zeros for what is missing
        return None
    details = found.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return Usage(prompt, completion, min(cached or 0, prompt))


def reported(raw: str) -> dict[str, object] | None:
    """The usage object as it came, for the ledger."""
    found = _load(raw).get("usage")
    return found if isinstance(found, dict) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _load(raw: str) -> dict[str, object]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
