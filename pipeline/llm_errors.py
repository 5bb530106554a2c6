"""What an exception out of LiteLLM means: retry, give up, or perhaps paid.

LiteLLM's own classes blur what matters (a refused connection, a reset and an unreadable body
are all InternalServerError 500), so this reads the chain of causes: an httpx transport error
says whether the request was sent, an httpx response says the true status. Classes are known
by name, so that nothing is imported here. Not here: the retrying (pipeline/llm.py).
"""

from __future__ import annotations

import email.utils
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pilotfish.errors import BudgetExceeded, ModelError, PilotfishError, SettingsError
from pipeline.llm_words import because, hints_of, one_line, words_of

LONGEST_WAIT = 60.0  # seconds, whatever Retry-After says
_UNSENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}
_NO_KEY = re.compile(
    r"missing credentials|api[ _]key.{0,40}(missing|not set)|missing.{0,20}api key", re.I
)
_TOO_LONG = re.compile(
    r"context.?(length|window)|maximum context|too many (input )?tokens|prompt is too long", re.I
)
_FILTERED = re.compile(r"content.?(policy|filter|management)|moderation|safety system", re.I)
_MENDS = {
    "authentication": "set {key}",
    "quota": "the provider says that no credit is left: top up, or choose another llm.model",
    "not_found_model": "check llm.model (a LiteLLM name, provider/model) and llm.api_base",
    "context_too_long": "lower prompt_tokens or passages, or choose a model that reads more",
    "bad_request": "check llm.model and its parameters",
    "content_filter": "the provider refuses this prompt or its answer: ask otherwise",
    "unknown_outcome": "it may have been paid: set llm.on_unknown=retry to ask again",
    "empty_reply": "raise llm.max_tokens, or choose another llm.model",
    "garbage_reply": "check that llm.api_base is an OpenAI-compatible endpoint",
    "connection": "check the network and llm.api_base",
    "timeout": "raise llm.timeout",
    "rate_limited": "lower concurrency, or try later",
    "llm_down": "see whether the provider works, then resume",
}
# A gateway gave up waiting; the model behind it may have answered, and sent its bill.
_PERHAPS_PAID = frozenset({408, 502, 504, 520, 522, 523, 524})
_STOPS = (
    "authentication",
    "quota",
    "not_found_model",
    "llm_down",
)  # the same for every item of a job
_PASSING = ("rate_limited", "timeout", "server_error", "connection", "garbage_reply", "empty_reply")

State = Literal["failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that gave no answer. `message` is redacted; `wait` is Retry-After in seconds.

    `retry`: "once" is for replies that were paid and of no use. `state` is the ledger's.
    """

    code: str
    message: str
    retry: Literal["never", "once", "always"] = "never"
    state: State = "failed"
    wait: float | None = None
    status: int | None = None

    @property
    def passing(self) -> bool:
        """Whether it says more of the provider's health than of this prompt."""
        return self.code in _PASSING

    @property
    def label(self) -> str:
        """For the ledger: no word of the provider's message, which may quote a document."""
        return self.code if self.status is None else f"{self.code} (HTTP {self.status})"


def to_error(failure: Failure, model: str, key_name: str) -> PilotfishError:
    """The error a user meets; SettingsError for what stops a whole job."""
    mend = _MENDS.get(failure.code, "try again later").format(key=key_name)
    text = f"{model}: {failure.message}: {mend}"
    if failure.code in _STOPS:
        return SettingsError(text)
    if failure.code == "over_budget":
        return BudgetExceeded(f"{failure.message}: raise the budget, or set llm.on_budget=extract")
    return ModelError(text, code=failure.code, retryable=failure.passing, wait=failure.wait)


def read(error: BaseException) -> Failure:
    """What this exception says of the attempt."""
    chain = list(_chain(error))
    raw = f"{one_line(str(error))} {hints_of(chain)}"
    return _transport(chain) or _http(chain, raw) or _litellm(chain, raw)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _names(error: BaseException) -> set[str]:
    return {cls.__name__ for cls in type(error).__mro__}


def _transport(chain: list[BaseException]) -> Failure | None:
    for error in chain:
        names = _names(error)
        if type(error).__module__.partition(".")[0] != "httpx" or "TransportError" not in names:
            continue
        if names & _UNSENT:
            return Failure("connection", because("no connection", error), "always")
        if "TimeoutException" in names:
            return Failure("timeout", "no answer in time", "always", "unknown")
        text = because("the connection broke", error)
        return Failure("connection", text, "always", "unknown")
    if any("APITimeoutError" in _names(e) for e in chain) and not _response(chain):
        return Failure("timeout", "no answer in time", "always", "unknown")
    return None


def _response(chain: list[BaseException]) -> tuple[int, str | None] | None:
    """(true status, Retry-After) of the response that httpx itself complained about."""
    for error in chain:
        if "HTTPStatusError" in _names(error) or "APIStatusError" in _names(error):
            response = getattr(error, "response", None)
            if type(error).__module__.startswith("litellm.exceptions") or response is None:
                continue  # its responses are made up
            return int(response.status_code), response.headers.get("retry-after")
    return None


def _http(chain: list[BaseException], raw: str) -> Failure | None:
    found = _response(chain)
    if found is None:
        return None
    status, retry_after = found
    words = words_of(chain)
    failure = by_status(status, f"{raw} {words}", retry_after)
    return replace(failure, message=f"HTTP {status}: {words}" if words else f"HTTP {status}")


def by_status(status: int, message: str, retry_after: str | None = None) -> Failure:
    """What an HTTP status says; nothing was paid, unless a gateway speaks for the provider."""
    wait = _seconds(retry_after)
    if "insufficient_quota" in message or status == 402:
        return Failure("quota", message, status=status)
    if status == 429:
        return Failure("rate_limited", message, "always", wait=wait, status=status)
    if status >= 500 or status in (408, 409, 425):
        state: State = "unknown" if status in _PERHAPS_PAID else "failed"
        return Failure("server_error", message, "always", state, wait, status)
    if status in (400, 403, 413, 422) and (status == 413 or _TOO_LONG.search(message)):
        return Failure("context_too_long", message, status=status)
    if status in (400, 403, 422) and _FILTERED.search(message):
        return Failure("content_filter", message, status=status)
    codes = {401: "authentication", 403: "authentication", 404: "not_found_model"}
    return Failure(codes.get(status, "bad_request"), message, status=status)


def _litellm(chain: list[BaseException], raw: str) -> Failure:
    """LiteLLM complains by itself: before sending, or over a 200 that it cannot read."""
    if _NO_KEY.search(raw):
        return Failure("authentication", "no API key")
    if "LLM Provider NOT provided" in raw:
        return Failure("not_found_model", "no such provider")
    unreadable = any(_names(e) & {"JSONDecodeError", "ValidationError"} for e in chain)
    status, words = getattr(chain[0], "status_code", None), words_of(chain)
    if isinstance(status, int) and 400 <= status < 600 and status != 500 and not unreadable:
        failure = by_status(status, raw)  # an error object inside a 200
        return replace(failure, message=words or f"an error {status} inside a 200")
    if "APIError" in _names(chain[0]) or unreadable:
        return Failure("garbage_reply", "the reply is no chat completion", "once")
    if type(chain[0]).__module__.partition(".")[0] in {"litellm", "openai"}:
        return Failure("model_error", words or "the call failed without a reason")
    return Failure("model_error", f"the call broke ({type(chain[0]).__name__}: {words})")


def backoff(failure: Failure, attempts: int) -> float:
    """Seconds to wait after so many attempts: Retry-After, or doubling with jitter.

    Jitter spreads the retries of many workers that failed at the same moment.
    """
    if failure.wait is not None:
        return min(failure.wait, LONGEST_WAIT)
    doubled: float = 0.5 * 2 ** max(attempts - 1, 0)
    return min(doubled, 8.0) * random.uniform(0.5, 1.0)


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After: seconds, or an HTTP date."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
