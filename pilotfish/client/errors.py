"""What a Client raises. All are ServiceError, and so PilotfishError; those with a namesake in
`pilotfish.errors` are caught by it too.

Not here: when a request is tried again (transport.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pilotfish import errors

if TYPE_CHECKING:
    from pilotfish.client.results import JobView, Result

# Nothing gets better by asking again: a person has to change something first.
_FINAL = frozenset({"configuration", "index_corrupt"})
_RETRYABLE = frozenset({408, 429, 503, 504})


class ServiceError(errors.PilotfishError):
    """The service, or the way to it, failed.

    code: stable, for programs. status: of HTTP, if there was an answer. request_id: what the
    service's log calls it. retryable: the same call may succeed later. retry_after: seconds.
    hint: what to do. details: the rest of the service's error, such as the bad `lines`.
    """

    code = "service_error"
    hint = ""

    def __init__(
        self, message: str, *, code: str | None = None, status: int | None = None,
        request_id: str | None = None, retryable: bool = False,
        retry_after: float | None = None, details: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.code = code or type(self).code
        self.status, self.request_id = status, request_id
        self.retryable, self.retry_after = retryable, retry_after
        self.details = details or {}

    def __str__(self) -> str:
        said = super().__str__()
        return f"{said}: {self.hint}" if self.hint else said


class Unreachable(ServiceError, errors.Unavailable):
    """The connection was refused, or broke."""

    code = "unreachable"
    hint = "is the service running there? Start it with: pilotfish up"


class TimedOut(ServiceError):
    """No answer in the time allowed. What was asked goes on in the service."""

    code = "timeout"
    hint = "allow more with timeout="


class EngineFailed(ServiceError, errors.SettingsError):
    """The embedded engine did not start, or ended; its own last words are the message."""

    code = "engine_failed"


class Denied(ServiceError):
    """401 or 403: no key, a wrong one, or one that may not do this."""

    code = "denied"
    hint = "make a key with pilotfish keys create, and give it as Client(url, api_key=...)"


class Rejected(ServiceError, errors.InputError):
    """4xx: the request cannot be accepted as it is; nothing was stored or spent."""

    code = "invalid_request"


class WrongState(Rejected):
    """409: what is asked for does not fit the job's state."""

    code = "wrong_state"


class Missing(ServiceError, errors.NotFound):
    """404: there is none, or it belongs to somebody else."""

    code = "not_found"


class OverBudget(ServiceError, errors.BudgetExceeded):
    """402: the budget of the job or of the key does not allow it."""

    code = "budget_exceeded"


class Busy(ServiceError, errors.Unavailable):
    """429 or 503, still so after all retries."""

    code = "busy"


class Failed(ServiceError):
    """One question ended without an answer; `result` is its line."""

    code = "failed"
    result: Result | None = None


class JobPaused(ServiceError):
    """The job that is waited for is paused; `job` says why. Nothing is lost: resume it."""

    code = "paused"
    hint = "mend what it names, then job.resume()"
    job: JobView | None = None


def of_reply(status: int, body: Any, headers: Mapping[str, str]) -> ServiceError:
    """The error of an answer with a status of 400 and more (or a redirect, which we never
    follow: it could take the key elsewhere).
    """
    given = body.get("error") if isinstance(body, dict) else None
    error = given if isinstance(given, dict) else {}
    code = str(error.get("code") or f"http_{status}")
    message = str(error.get("message") or f"the service answered with HTTP status {status}")
    known = {"message", "type", "code"}
    return _kind(status)(
        message, code=code, status=status, request_id=headers.get("x-request-id"),
        retryable=status in _RETRYABLE and code not in _FINAL,
        retry_after=_seconds(headers.get("retry-after")),
        details={k: v for k, v in error.items() if k not in known and v is not None},
    )  # fmt: skip


def _kind(status: int) -> type[ServiceError]:
    kinds: dict[int, type[ServiceError]] = {
        401: Denied, 403: Denied, 402: OverBudget, 404: Missing, 409: WrongState,
        408: TimedOut, 429: Busy, 503: Busy, 504: Busy,
    }  # fmt: skip
    return kinds.get(status) or (Rejected if 400 <= status < 500 else ServiceError)


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:  # a date: the usual pauses do
        return None
