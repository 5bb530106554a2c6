"""The hosted LLM as a Step: sends case.prompt, fills case.answer. The only file that knows LiteLLM.

LiteLLM is used for the wire formats only. Retries, time limits, the ledger, prices and errors
are ours: by itself it sends up to three requests per call, waits 6000 s, and lets API keys into
its messages. Not here: prompts, citations (verifiers read the keys in the text), streaming.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from pilotfish.errors import ModelError, SettingsError
from pilotfish.redact import RedactingFilter, without_values
from pilotfish.settings_groups import LLMSettings
from pilotfish.types import Answer, Case
from pipeline.llm_bill import Quote, Tab, check_calls, most_count, over_budget, rough_count
from pipeline.llm_errors import Failure, backoff, read, to_error
from pipeline.llm_ledger import Claim, Desk
from pipeline.llm_reply import Reply, parse
from pipeline.llm_within import within
from pipeline.prices import find
from pipeline.purse import Purse
from store.ledger import Call
from store.rates import MOST_FAILURES, Rate

QUEUE_PATIENCE = 10.0  # seconds that an item of a job waits for a free call before it goes back
GRACE = 0.5  # seconds that LiteLLM's own time-out is given before we stop listening
_COUNTED = re.compile(r"(?:^|/)(?:gpt-|chatgpt-|o\d)")  # models whose encoding we count with

log = logging.getLogger("pilotfish.llm")
log.addFilter(RedactingFilter())


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How to call. `timeout` in seconds for one attempt, `attempts` HTTP requests at most.

    `on_unknown`: an attempt that may have been paid (time-out, broken connection, a crash) is
    retried, or held until a person decides. `sample` tells equal calls apart on purpose.
    """

    timeout: float = 60.0
    max_tokens: int = 512
    temperature: float = 0.0
    attempts: int = 3
    on_unknown: Literal["retry", "hold"] = "retry"
    sample: int = 0
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    api_base: str | None = None

    @classmethod
    def of(cls, settings: LLMSettings) -> CallOptions:
        """The options among the settings of the same names."""
        names = [each.name for each in fields(cls) if each.name in LLMSettings.model_fields]
        return cls(**{name: getattr(settings, name) for name in names})


@dataclass(frozen=True, slots=True)
class LLM:
    """`model` is a LiteLLM name; the key is read by LiteLLM from the provider's usual variable.

    Raises ModelError (with its code), BudgetExceeded before anything is spent, SettingsError
    for a missing key or model. What was spent is in the trace, also in the error's.
    """

    model: str
    purse: Purse
    options: CallOptions = CallOptions()
    sleep: Callable[[float], None] = time.sleep

    @property
    def name(self) -> str:
        return "llm:" + self.model.rpartition("/")[2]

    def __call__(self, case: Case, /) -> Case:
        desk, tab = self._desk(case), Tab()
        result = self._converse(case, desk, tab)
        event = tab.event(self.name, desk.at_risk() if tab.unknown or tab.lost else (0, 0.0))
        event = replace(event, detail={"model": self.model, **event.detail})
        if isinstance(result, Reply):
            event = replace(event, detail={**event.detail, "finish": result.finish})
            answer = Answer(result.text, model=self.model)
            return replace(case, answer=answer, trace=(*case.trace, event))
        error = to_error(result, self.model, _key_name(self.model))
        if tab.attempts:
            error.trace = (*case.trace, replace(event, error=str(error)))
        raise error

    def _desk(self, case: Case) -> Desk:
        if case.prompt is None or not case.prompt.messages:
            raise ModelError("nothing to send: put a prompter before the LLM", code="bad_request")
        options = self.options
        parameters = {"max_tokens": options.max_tokens, "temperature": options.temperature}
        messages = [{"role": m.role, "content": m.content} for m in case.prompt.messages]
        call = Call(
            self.purse.tenant, options.api_base, self.model, messages, parameters, options.sample
        )
        rate = Rate(options.requests_per_minute, options.tokens_per_minute)
        return Desk(self.purse, call, case.passages, options.on_unknown == "hold", rate,
                    [one for hint in case.hints for one in hint.read])  # fmt: skip

    def _converse(self, case: Case, desk: Desk, tab: Tab) -> Reply | Failure:
        """Replay, or attempt until there is a reply or no sense in another attempt."""
        paid = desk.replay()
        if paid is not None and isinstance(reply := _replay(desk, tab, paid), Reply):
            return reply
        check_calls(case)
        limits = case.question.limits
        quote = self._quote(desk.call, exact=limits.budget_usd is not None)
        result: Reply | Failure | None = None
        while True:
            left = self.purse.seconds_left(limits)
            if left is not None and left <= 0:
                return Failure("deadline", f"{limits.deadline:g} s have passed{_after(result)}")
            refusal = over_budget(case, quote, tab, self.model)
            if refusal is not None and result is None:
                raise refusal
            if refusal is not None and result is not None:
                return result
            result = self._attempt(desk, tab, quote, left)
            if isinstance(result, Reply):
                return result
            log.warning("%s attempt %d: %s", self.name, tab.attempts, result.message)
            delay, left = self._delay(result, tab), self.purse.seconds_left(limits)
            if delay is None or (left is not None and 0 < left <= delay):
                return result
            if left is None or left > 0:  # else the deadline has passed, and is told above
                self.sleep(delay)

    def _quote(self, call: Call, exact: bool) -> Quote:
        """Counting a long prompt takes 10 ms; without a budget bytes are good enough.

        Only OpenAI's models are sure to count as we do; for others a bound is reserved.
        """
        price = find(self.model, _litellm().model_cost)
        texts = [message["content"] for message in call.messages]
        tokens = 3 + sum(4 + (_count if exact else rough_count)(text) for text in texts)
        counted = exact and _COUNTED.search(self.model)
        most = tokens if counted else 3 + sum(4 + most_count(text) for text in texts)
        return Quote(tokens, most, self.options.max_tokens, price, _count)

    def _attempt(self, desk: Desk, tab: Tab, quote: Quote, left: float | None) -> Reply | Failure:
        """One row of the ledger and one HTTP request, or the reply of an equal call."""
        limit = self.options.timeout + GRACE
        seconds = limit if left is None else min(limit, left)
        until = time.monotonic() + seconds
        patience = seconds if self.purse.job_id is None else min(seconds, QUEUE_PATIENCE)
        claim = desk.claim(quote.usd, quote.most_tokens + quote.max_tokens, patience)
        if isinstance(claim, Failure):
            return claim
        if claim.reply is not None:
            return _replay(desk, tab, claim)
        tab.attempts, tab.row_id, tab.unknown = tab.attempts + 1, claim.row_id, claim.unknown
        sent: str | Failure | None = None
        try:
            wall = limit if left is None else until - time.monotonic()
            sent = self._within(wall, desk.call)
        finally:
            if sent is None:  # interrupted: whoever comes next must not wait for us
                desk.fail(claim.row_id, Failure("interrupted", "", state="unknown"))
        if isinstance(sent, Failure):
            return self._failed(desk, tab, quote, sent)
        bill = quote.bill(sent)
        desk.store(claim, sent, bill)
        tab.bills.append(bill)
        reply = parse(sent)
        if isinstance(reply, Failure):
            desk.fail(claim.row_id, reply)
        return reply

    def _within(self, wall: float, call: Call) -> str | Failure:
        """Send with `wall` seconds to go; nothing is sent when there are none."""
        if wall <= 0:
            return Failure("deadline", "no time was left to send it")
        timeout = min(self.options.timeout, wall)
        return within(wall, functools.partial(self._send, call, timeout))

    def _failed(self, desk: Desk, tab: Tab, quote: Quote, failure: Failure) -> Failure:
        bill = quote.most() if failure.retry == "once" else None
        if bill is not None:
            tab.bills.append(bill)
        if failure.state == "unknown":
            tab.lost.append(quote.usd)
        in_a_row = desk.fail(tab.row_id or 0, failure, bill)
        if in_a_row >= MOST_FAILURES:
            text = f"{in_a_row} calls in a row have failed, the last: {failure.message}"
            return replace(failure, code="llm_down", message=text, retry="never")
        if failure.state == "unknown" and desk.hold:
            return replace(failure, code="unknown_outcome", retry="never")
        return failure

    def _delay(self, failure: Failure, tab: Tab) -> float | None:
        """Seconds until the next attempt; None when there is to be none."""
        useless = failure.retry == "once" and len(tab.bills) > 1
        if failure.retry == "never" or useless or tab.attempts >= self.options.attempts:
            return None
        return backoff(failure, tab.attempts)

    def _send(self, call: Call, timeout: float) -> str | Failure:
        """One HTTP request: the raw reply as JSON, or what went wrong."""
        try:
            response = _litellm().completion(
                model=call.model,
                messages=[dict(message) for message in call.messages],
                api_base=call.api_base,
                timeout=timeout,
                max_retries=0,
                num_retries=0,
                drop_params=True,  # some models know no temperature
                extra_headers={"Idempotency-Key": call.key},
                **call.parameters,
            )
            # A proxy may repeat the key in any field of its reply, which is stored as it came.
            return without_values(str(response.model_dump_json(warnings="none")))
        except Exception as error:
            return read(error)


def _replay(desk: Desk, tab: Tab, paid: Claim) -> Reply | Failure:
    """Read a reply from the ledger; one of no use (killed before it was read) is failed now."""
    reply = parse(paid.reply or "")
    if isinstance(reply, Failure):
        desk.fail(paid.row_id, reply)
    else:
        tab.row_id, tab.replayed = paid.row_id, paid.bill
    return reply


def _after(result: Reply | Failure | None) -> str:
    return f" (after: {result.message})" if isinstance(result, Failure) else ""


def _count(text: str) -> int:
    """Tokens by LiteLLM's default encoding (it lies in its wheel; others are downloads)."""
    try:
        return int(_litellm().token_counter(model="", text=text))
    except Exception:
        return rough_count(text)


def _key_name(model: str) -> str:
    provider, slash, _ = model.partition("/")
    if not slash:
        provider = _litellm().model_cost.get(model, {}).get("litellm_provider", "openai")
    return f"{str(provider).upper()}_API_KEY"


def preload() -> None:
    """Import LiteLLM now: seconds that no question need wait for."""
    _litellm()


@functools.cache
def _litellm() -> Any:
    """LiteLLM, offline and silent. Takes 3-6 s the first time."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")  # else it reads a .env by itself
    try:
        library: Any = importlib.import_module("litellm")
        importlib.import_module("openai.resources.chat")  # else the first call's time limit pays
    except ImportError:
        library = None
    if library is None:
        raise SettingsError('LiteLLM is not installed: pip install "pilotfish[engine]"')
    library.telemetry = False
    library.suppress_debug_info = True  # no "Give Feedback" on stdout
    library.turn_off_message_logging = True
    library.disable_hf_tokenizer_download = True
    library.cache = None
    library.success_callback, library.failure_callback, library.callbacks = [], [], []
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for name in ("openai", "openai._base_client", "httpx"):
        logging.getLogger(name).addFilter(RedactingFilter())
    return library
