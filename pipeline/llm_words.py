"""A provider's complaint as one line for people: its own words, without classes, pages and keys.

LiteLLM writes its classes before a message and advice behind it; SDKs write bodies as Python
dicts. Not here: what a complaint means (llm_errors.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pilotfish.redact import redact

LONGEST = 300  # characters kept of a provider's message
_CLASS = re.compile(r"(?:litellm\.)?\w*(?:Error|Exception|Timeout)(?: Error)?(?::| -)(?:\s+|$)")
_TAIL = re.compile(
    r"\.? (?:Handle with `litellm|LiteLLM (?:Retried|Max Retries):|Error_str:).*$"
    r"| - timeout value=.*$|, Received response - .*$"
)
_ERRNO = re.compile(r"\[Errno -?\d+\] ")


def one_line(text: str) -> str:
    """Redacted, short and without line breaks."""
    return redact(" ".join(text[: LONGEST * 10].split()))[:LONGEST]


def words_of(chain: Sequence[BaseException]) -> str:
    """What the provider said; "" when that was nothing that a person can read."""
    for error in chain:
        if found := said_in(getattr(error, "body", None)):
            return one_line(found)
    text = one_line(str(chain[0]))
    while text and (found_class := _CLASS.match(text)):
        text = text[found_class.end() :]
    return "" if text.startswith("<") else _ended(_TAIL.sub("", text))


def said_in(body: object) -> str:
    """The message in an error object, however it is wrapped; "" without one, and of a page."""
    if isinstance(body, Mapping):
        named = (said_in(body.get(name)) for name in ("message", "error", "detail"))
        return next(filter(None, named), "")
    text = body.strip() if isinstance(body, str) else ""
    return "" if text.startswith("<") else _ended(text)


def hints_of(chain: Sequence[BaseException]) -> str:
    """Codes and types of an error object: LiteLLM leaves them out of its message."""
    found = (getattr(error, name, None) for error in chain for name in ("code", "type"))
    return " ".join(str(one)[:100] for one in found if one)


def because(text: str, error: BaseException) -> str:
    """The text, with the error's own reason if it has one."""
    reason = _ended(_ERRNO.sub("", one_line(str(error))))
    return f"{text} ({reason})" if reason else text


def _ended(text: str) -> str:
    """Without the full stop: a colon follows."""
    return text.rstrip(" .:")
