"""A case's trace as spans: which step called which, names, attributes. Plain values only.

Made after the fact out of the events that the runner has written, so that steps know nothing of
telemetry. Of an event's detail numbers are told, and of its words only those listed here: notes
may quote documents. Names are OpenTelemetry's own for generative AI where it has any
(https://opentelemetry.io/docs/specs/semconv/gen-ai/). Not here: sending (telemetry_otel.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pilotfish.types import Event
from workers.logs import tenant_hash
from workers.telemetry import Served, Worked

Value = str | int | float | bool | list[str]
OURS = "pilotfish."
CALL = "ledger_row"  # in the detail of the events that pipeline/llm.py writes for the money
# Told under names of their own, or (the prompt) not at all.
_APART = {"model", "finish", "attempts", "replayed", "prompt"}
_CLASS = re.compile(r"([A-Z]\w*(?:Error|Exception|Exit|Interrupt)): ")


@dataclass(frozen=True, slots=True)
class Span:
    """`above`: the place of the span that it belongs under, None: directly under the item.

    `call`: an LLM was asked over the network.
    """

    name: str
    started: float
    seconds: float
    above: int | None
    attributes: dict[str, Value]
    error: str | None = None
    call: bool = False


def spans(trace: Sequence[Event]) -> list[Span]:
    """The spans, callers before those they called, so that `above` is a place before one's own."""
    order = list(reversed(range(len(trace))))
    place: dict[int | None, int] = {index: at for at, index in enumerate(order)}
    callers = _callers(trace)
    return [
        Span(
            name_of(trace[i]), trace[i].started, trace[i].seconds,
            place.get(callers[i]),
            attributes(trace[i]), error_type(trace[i]), is_call(trace[i]),
        )
        for i in order
    ]  # fmt: skip


def _callers(trace: Sequence[Event]) -> dict[int, int | None]:
    """Index -> its caller's. A step's event is written at its end, so what it called stands
    before it and began after it.
    """
    found: dict[int, int | None] = {}
    waiting: list[int] = []
    for index, event in enumerate(trace):
        while waiting and trace[waiting[-1]].started >= event.started:
            found[waiting.pop()] = index
        waiting.append(index)
    return found | dict.fromkeys(waiting)


def is_call(event: Event) -> bool:
    """Whether it is an LLM call that was sent, not replayed from the ledger."""
    return CALL in event.detail and not event.detail.get("replayed")


def step_of(event: Event) -> str:
    """The step's name without the model: few values, for metrics."""
    return event.step.partition(":")[0]


def name_of(event: Event) -> str:
    if CALL not in event.detail:
        return event.step
    verb = "chat" if is_call(event) else "replay"
    return f"{verb} {_model(event)[1]}"


def error_type(event: Event) -> str | None:
    """The class of what broke, "failed" for errors of ours; never their words."""
    if event.error is None:
        return None
    named = _CLASS.match(event.error)
    return named.group(1) if named else "failed"


def attributes(event: Event) -> dict[str, Value]:
    """What may be told of a step."""
    own = {
        OURS + name: value
        for name, value in event.detail.items()
        if isinstance(value, int | float) and name not in _APART
    }
    return own | (_of_call(event) if CALL in event.detail else {})


def _model(event: Event) -> tuple[str, str]:
    """(provider or "", model) of LiteLLM's PROVIDER/MODEL."""
    provider, _, model = str(event.detail.get("model", "")).rpartition("/")
    return provider.partition("/")[0], model


def chat(event: Event) -> dict[str, Value]:
    """What tells one kind of LLM call from another, for metrics too."""
    provider, model = _model(event)
    named: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
    return named | ({"gen_ai.provider.name": provider} if provider else {})


def _of_call(event: Event) -> dict[str, Value]:
    detail, sent = event.detail, is_call(event)
    told: dict[str, Value] = chat(event) if sent else {OURS + "replayed": True}
    if isinstance(attempts := detail.get("attempts"), int):
        told[OURS + "attempts"] = attempts
    if event.cost_usd is not None:
        told[OURS + "cost_usd"] = event.cost_usd
    if event.prompt_tokens or event.completion_tokens:
        told["gen_ai.usage.input_tokens"] = event.prompt_tokens
        told["gen_ai.usage.output_tokens"] = event.completion_tokens
    if detail.get("finish"):
        told["gen_ai.response.finish_reasons"] = [str(detail["finish"])]
    return told


def item_attributes(worked: Worked) -> dict[str, Value]:
    """What may be told of an item."""
    taken = worked.taken
    return dict(_item(worked)) | {
        OURS + "item": taken.id, OURS + "job": taken.job_id, OURS + "recipe": taken.recipe,
        OURS + "attempt": taken.attempts, OURS + "outcome": worked.outcome,
    }  # fmt: skip


def _item(worked: Worked) -> Iterator[tuple[str, Value]]:
    if tenant := tenant_hash(worked.taken.tenant):
        yield OURS + "tenant", tenant
    if (answer := worked.answer) is not None:
        yield OURS + "degraded", answer.degraded
        yield OURS + "citations", len(answer.citations)
        if answer.support is not None:
            yield OURS + "support", answer.support


def request_attributes(served: Served) -> dict[str, Value]:
    """What may be told of a request: its route's template, not its path."""
    told: dict[str, Value] = {"http.request.method": served.method}
    if served.route:
        told["http.route"] = served.route
    if served.status:
        told["http.response.status_code"] = served.status
    if served.status >= 500:
        told["error.type"] = str(served.status)
    return told
