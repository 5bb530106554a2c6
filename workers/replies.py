"""Errors as the service sends them: OpenAI's envelope, a status each, redacted, in one line.

Not here: where they are caught (access.py, api.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pilotfish import errors
from pilotfish.redact import redact
from store.submissions import Conflict
from workers.asked import InvalidLines, WrongState

RETRY_SECONDS = 5
# The first class that fits decides.
_STATUS: tuple[tuple[type[errors.PilotfishError], int], ...] = (
    (Conflict, 422),
    (WrongState, 409),
    (errors.InputError, 422),
    (errors.NotFound, 404),
    (errors.BudgetExceeded, 402),
    (errors.Unavailable, 503),
    (errors.SettingsError, 503),
    (errors.IndexCorrupt, 503),
    (errors.RetrievalFailed, 503),
    (errors.ModelError, 502),
)
_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 402: "insufficient_quota",
    403: "permission_error", 404: "not_found_error", 408: "timeout_error", 409: "conflict_error",
    413: "invalid_request_error", 422: "invalid_request_error", 429: "rate_limit_error",
}  # fmt: skip
_CODES = {
    400: "bad_request", 404: "not_found", 405: "method_not_allowed", 408: "too_slow",
    413: "too_large", 415: "unsupported_media_type",
}  # fmt: skip
_MOST = 20  # problems of a body that are named


class Refused(Exception):
    """A request that is answered at once with this status, before any route sees it."""

    def __init__(
        self, status: int, code: str, message: str, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.retry_after = status, code, retry_after


class AsciiJSON(Response):
    """JSON that can always be sent, whatever half characters are in it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":"), default=str).encode()


def envelope(
    status: int, code: str, message: str, param: str | None = None,
    headers: Mapping[str, str] | None = None, **more: Any,
) -> Response:  # fmt: skip
    """One error as JSON."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    shown = redact(param) if param else param  # a field's name is the sender's own text
    error = {"message": redact(message), "type": kind, "param": shown, "code": code, **more}
    return AsciiJSON({"error": error}, status, dict(headers or {}))


def of_refusal(error: Refused) -> Response:
    """What Access or the body's guard says no to."""
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return envelope(error.status, error.code, str(error), headers=headers)


def of_ours(error: errors.PilotfishError) -> Response:
    """One of our own errors."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    headers = {"retry-after": str(RETRY_SECONDS)} if status in {502, 503} else {}
    if isinstance(error, InvalidLines):
        lines = [{"line": number, "message": what} for number, what in error.problems[:1000]]
        return envelope(status, error.code, str(error), "questions", lines=lines)
    return envelope(status, error.code, str(error), headers=headers)


def of_validation(error: RequestValidationError) -> Response:
    """A body, a query or a path that is not as the route wants it; values are not repeated."""
    problems = error.errors()
    if problems and problems[0]["type"] == "json_invalid":
        return envelope(400, "invalid_json", "the body is not valid JSON: check its syntax")
    return invalid(problems)


def invalid(problems: Any) -> Response:
    """Pydantic's problems: each place and what is wrong there."""
    named = [f"{_place(each['loc']) or 'body'}: {each['msg']}" for each in problems[:_MOST]]
    param = _place(problems[0]["loc"]) if problems else None
    return envelope(422, "invalid_request", "; ".join(named) or "invalid request", param or None)


def _place(loc: Any) -> str:
    parts = [str(part)[:64] for part in loc]
    return ".".join(parts[1:] if parts[:1] in (["body"], ["query"], ["path"]) else parts)


def of_http(error: HTTPException) -> Response:
    """What Starlette and FastAPI refuse themselves."""
    code = _CODES.get(error.status_code, "error")
    return envelope(error.status_code, code, str(error.detail), headers=error.headers)


def of_bug() -> Response:
    """A bug of ours: no word of what it was; the log has its class and the request's id."""
    return envelope(500, "bug", "internal error: report it with the x-request-id")
