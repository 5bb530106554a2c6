"""OpenTelemetry: spans and metrics over OTLP, HTTP and protobuf. The only file that knows it.

Providers of our own, never the global ones: what libraries would send through those (FastAPI:
query strings, whole errors) is not ours to tell. Everything else is as OpenTelemetry's
environment variables say. Not here: what is told (telemetry_spans.py, telemetry_figures.py).
"""

from __future__ import annotations

import atexit
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import pilotfish
from pilotfish.types import Event
from workers.queue import TASKS
from workers.telemetry import Open, Served, Silent, Worked, endpoint
from workers.telemetry_figures import Family, Figures
from workers.telemetry_items import linked_to, within
from workers.telemetry_spans import (
    OURS,
    Span,
    Value,
    chat,
    error_type,
    is_call,
    item_attributes,
    request_attributes,
    spans,
    step_of,
)

SCOPE = "pilotfish"
PARENT = "traceparent"
BY_DEFAULT = "pilotfish"  # service.name where the environment names none
CLOSE_SECONDS = 5.0  # what was not sent within them is lost
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576)
log = logging.getLogger("pilotfish.telemetry")
P = ParamSpec("P")
T = TypeVar("T")
_context = TraceContextTextMapPropagator()


def quiet(told: Callable[P, T]) -> Callable[P, T | None]:
    """Telemetry may end neither a request nor an item: what breaks it is logged by its class."""

    @functools.wraps(told)
    def guarded(*given: P.args, **named: P.kwargs) -> T | None:
        try:
            return told(*given, **named)
        except Exception as error:  # noqa: BLE001 see above
            log.error("telemetry broke: %s", type(error).__name__)
            return None

    return guarded


class Exporting:
    """Spans and metrics, each where the environment names a place for it."""

    def __init__(self, instance: str) -> None:
        resource = _resource(instance)
        self._tracers, self._meters = _tracers(resource), _meters(resource)
        self._tracer = self._tracers.get_tracer(SCOPE, pilotfish.__version__)
        self._meter = self._meters.get_meter(SCOPE, pilotfish.__version__)
        self._durations = _Durations(self._meter)
        atexit.register(self.close)  # workers end without a word

    def request(self, traceparent: str | None) -> Open:
        opened = self._opened(traceparent)
        return opened or Silent().request(traceparent)

    @quiet
    def _opened(self, traceparent: str | None) -> Open:
        span = self._tracer.start_span("request", _within(traceparent), SpanKind.SERVER)
        return _Request(span, self._durations)

    @quiet
    def worked(self, worked: Worked) -> None:
        given = worked.taken.parameters
        links = [Link(_span_of(each)) for each in linked_to(given)]
        name = TASKS["answer" if worked.taken.kind == "answer" else "index"]
        item = self._tracer.start_span(
            name, _within(within(given)), SpanKind.CONSUMER, item_attributes(worked),
            links, _nanoseconds(worked.started),
        )  # fmt: skip
        self._steps(item, spans(worked.trace))
        if worked.error is not None:
            item.set_attribute("error.type", worked.error)
            item.set_status(StatusCode.ERROR)
        item.end(_nanoseconds(worked.started + worked.seconds))
        self._durations.item(worked)

    def _steps(self, item: trace.Span, steps: Iterable[Span]) -> None:
        made: list[trace.Span] = []
        for step in steps:
            above = item if step.above is None else made[step.above]
            kind = SpanKind.CLIENT if step.call else SpanKind.INTERNAL
            span = self._tracer.start_span(
                step.name, trace.set_span_in_context(above, Context()), kind, step.attributes,
                start_time=_nanoseconds(step.started),
            )  # fmt: skip
            if step.error is not None:
                span.set_attribute("error.type", step.error)
                span.set_status(StatusCode.ERROR)
            made.append(span)
            span.end(_nanoseconds(step.started + step.seconds))

    @quiet
    def watch(self, page: Callable[[], str]) -> None:
        figures = Figures(page)
        for family in figures().values():
            make = self._meter.create_observable_gauge
            if family.kind == "counter":
                make = self._meter.create_observable_counter  # type: ignore[assignment]
            make(family.name, [_samples(figures, family.name)], description=family.text)

    @quiet
    def close(self) -> None:
        """Both at once, and not for long: a collector that is away is waited for twice 10 s."""
        atexit.unregister(self.close)
        ends = (self._tracers.shutdown, self._meters.shutdown)
        threads = [threading.Thread(target=quiet(end), daemon=True) for end in ends]
        until = time.monotonic() + CLOSE_SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


class _Request:
    """A request's span, from its first byte to its last."""

    def __init__(self, span: trace.Span, durations: _Durations) -> None:
        self._span, self._durations = span, durations
        carrier: dict[str, str] = {}
        _context.inject(carrier, trace.set_span_in_context(span, Context()))
        self.context: str | None = carrier.get(PARENT)

    @quiet
    def end(self, served: Served) -> None:
        self._span.update_name(f"{served.method} {served.route}" if served.route else served.method)
        told = request_attributes(served)
        self._span.set_attributes(told)
        self._span.set_attributes({OURS + name: value for name, value in served.ids.items()})
        if served.status >= 500:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()
        self._durations.request.record(served.seconds, told)


class _Durations:
    """The histograms: requests, items, steps, LLM calls."""

    def __init__(self, meter: Meter) -> None:
        def seconds(name: str, text: str) -> Histogram:
            return meter.create_histogram(
                name, "s", text, explicit_bucket_boundaries_advisory=SECONDS
            )

        self.request = seconds("http.server.request.duration", "Requests")
        self._item = seconds("pilotfish_item_seconds", "Attempts at items by outcome")
        self._step = seconds("pilotfish_step_seconds", "Steps of answers")
        self._call = seconds("gen_ai.client.operation.duration", "LLM calls")
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage", "{token}", "Tokens of LLM calls",
            explicit_bucket_boundaries_advisory=TOKENS,
        )  # fmt: skip

    def item(self, worked: Worked) -> None:
        kind = {"kind": worked.taken.kind, "outcome": worked.outcome}
        self._item.record(worked.seconds, kind)
        for event in worked.trace:
            if is_call(event):
                self._of_call(event)
            else:
                self._step.record(event.seconds, {"step": step_of(event)})

    def _of_call(self, event: Event) -> None:
        told = chat(event)
        error = error_type(event)
        failed: dict[str, Value] = {"error.type": error} if error else {}
        self._call.record(event.seconds, told | failed)
        for kind, count in (("input", event.prompt_tokens), ("output", event.completion_tokens)):
            if count:
                self._tokens.record(count, told | {"gen_ai.token.type": kind})


def _samples(
    figures: Figures, name: str
) -> Callable[[CallbackOptions], Iterable[Observation]]:  # fmt: skip
    @quiet
    def look(_: CallbackOptions) -> list[Observation]:
        found = figures().get(name, Family(name)).samples
        return [Observation(value, dict(labels)) for labels, value in found]

    return lambda options: look(options) or []


def _tracers(resource: Resource) -> TracerProvider:
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    if endpoint("TRACES"):
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _meters(resource: Resource) -> MeterProvider:
    readers = [PeriodicExportingMetricReader(OTLPMetricExporter())] if endpoint("METRICS") else []
    return MeterProvider(readers, resource, shutdown_on_exit=False)


def _resource(instance: str) -> Resource:
    """The environment's words win over ours."""
    ours = Resource({
        SERVICE_NAME: BY_DEFAULT, "service.version": pilotfish.__version__,
        "service.instance.id": instance,
    })  # fmt: skip
    return Resource.create().merge(ours).merge(OTELResourceDetector().detect())


def _within(traceparent: str | None) -> Context:
    """The context that a traceparent names; one of nobody's for none, or for one that is none."""
    return _context.extract({PARENT: traceparent} if traceparent else {}, Context())


def _span_of(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_within(traceparent)).get_span_context()


def _nanoseconds(moment: float) -> int:
    return int(moment * 1e9)
