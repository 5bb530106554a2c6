"""Blanks secrets in text that leaves us: error messages, logs, the ledger, the trace.

By shape (known key prefixes, `Bearer ...`, `api_key=...`, passwords in URLs) and by value
(what the environment holds under *_API_KEY, *_TOKEN, *_SECRET, *_PASSWORD). Not here:
personal data, and secrets of no known shape that are nowhere in the environment.
"""

from __future__ import annotations

import logging
import os
import re

BLANK = "[redacted]"
_SUFFIXES = ("_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
_SHORTEST = 8  # shorter values of the environment would blank ordinary words

_PREFIXED = re.compile(
    r"\b(?:sk|pk|rk|xai|pplx|nvapi|glpat|xox[abeprs])-[\w*.-]{6,}"
    r"|\b(?:gh[opsur]|github_pat|hf|gsk|r8|whsec|sk|pk|rk)_[\w*]{10,}"
    r"|\bpf-[\w-]{30,}"  # our own bearer keys
    r"|\bAIza[\w-]{20,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bya29\.[\w.-]{10,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
)
# A value up to its end; one that is blanked already is taken whole, with its closing bracket.
_VALUE = r"(?:\[redacted\]|[^\s\"',;)\]}])+"
_SCHEME = re.compile(
    r"\b((?i:Bearer)(?=\s+[^\s\"',;)\]}]{4})|Basic(?=\s+[\w+/=-]{16}))\s+" + _VALUE
)
_HEADER = re.compile(
    r"\b((?:proxy-)?authorization[\"']?\s*[:=]\s*(?:b?[\"'])?)(?:(?:Bearer|Basic)\s+)?" + _VALUE,
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"((?:api[_-]?key|access[_-]?key|token|secret|password|passwd)[\"']?\s*[:=]\s*(?:b?[\"'])?"
    r"|\bkey=[\"']?)(?:\[redacted\][^\s\"'&,;)\]}]*|[^\s\"'&,;)\]}]{4,})",
    re.IGNORECASE,
)
_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@]+@", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with every secret in it replaced by [redacted]."""
    text = without_values(text)
    text = _URL.sub(rf"\1{BLANK}@", text)
    text = _HEADER.sub(rf"\1{BLANK}", text)
    text = _SCHEME.sub(rf"\1 {BLANK}", text)
    text = _NAMED.sub(rf"\1{BLANK}", text)
    return _PREFIXED.sub(BLANK, text)


def without_values(text: str) -> str:
    """The text without secrets of the environment; for what must else stay as it is."""
    for value in _secrets():
        text = text.replace(value, BLANK)
    return text


def _secrets() -> list[str]:
    """Secret values of the environment, longest first, so that none hides within another."""
    found = {
        value
        for name, value in os.environ.items()
        if name.upper().endswith(_SUFFIXES) and len(value) >= _SHORTEST
    }
    return sorted(found, key=len, reverse=True)


class RedactingFilter(logging.Filter):
    """Redacts a record's message, its arguments and its traceback; lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
