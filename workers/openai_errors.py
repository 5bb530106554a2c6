"""Errors as OpenAI's clients expect them: 400 for what cannot be asked, failed items by status.

Not here: the envelope (replies.py), and our other errors, which the application answers.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from pilotfish.errors import InputError
from store.submissions import Conflict
from workers.asked import WrongState
from workers.replies import envelope, of_ours, of_validation
from workers.requests import Invalid

# Their client tries 5xx, 408, 409 and 429 again unless told not to.
NO_RETRY = {"x-should-retry": "false"}
_STATUS = {
    "budget_exceeded": 402, "rate_limited": 429, "cancelled": 409, "retrieval_failed": 503,
    "index_corrupt": 503, "dead": 500, "broken": 500, "forgotten": 410,
}  # fmt: skip


class Unfit(InputError):
    """A request that these routes cannot serve; `param` is the field that is in the way."""

    code = "invalid_request"

    def __init__(
        self, message: str, param: str | None = None, *, code: str = code, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param, self.code, self.status = param, code, status


class Failed(Exception):
    """The question was asked and ended without an answer; asking again would pay again."""

    def __init__(self, line: Mapping[str, Any]) -> None:
        error = line.get("error") or {}
        code, message = str(error.get("code", "failed")), str(error.get("message", "failed"))
        super().__init__(message)
        self.answer = envelope(
            _STATUS.get(code, 502), code, message, headers=NO_RETRY, pilotfish=dict(line)
        )


class Late(Exception):
    """The answer is not there yet, and this request waits no longer."""

    def __init__(self, job_id: str) -> None:
        text = f"still being answered: GET /v1/jobs/{job_id}/results gives it when it is there"
        super().__init__(text)
        self.answer = envelope(504, "timeout", text, headers=NO_RETRY, job=job_id)


class OpenAIRoute(APIRoute):
    """A route whose bad requests are 400, as OpenAI's are; ours elsewhere are 422."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except RequestValidationError as error:
                return _as_400(of_validation(error))
            except Invalid as error:
                return _as_400(error.answer)
            except (InputError, Failed, Late) as error:
                return answer_of(error)

        return handle


def answer_of(error: InputError | Failed | Late) -> Response:
    """The error as a response."""
    if isinstance(error, Failed | Late):
        return error.answer
    if isinstance(error, Unfit):
        return envelope(error.status, error.code, str(error), error.param)
    if isinstance(error, WrongState | Conflict):
        response = of_ours(error)
        response.headers.update(NO_RETRY)
        return response
    return _as_400(of_ours(error))


def _as_400(response: Response) -> Response:
    response.status_code = 400
    return response
