"""A stand-in for an OpenTelemetry collector: takes OTLP over HTTP and keeps what it was sent.

with Collector() as collector:
    ... a process with OTEL_EXPORTER_OTLP_ENDPOINT=collector.url ...
    collector.spans, collector.metrics, collector.raw
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as _metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as _trace

KINDS = ("unset", "internal", "server", "client", "producer", "consumer")


@dataclass(frozen=True, slots=True)
class Told:
    """A span as it came over the wire; times in seconds, ids in hex."""

    name: str
    trace: str
    id: str
    above: str
    kind: str
    start: float
    end: float
    failed: bool
    attributes: dict[str, Any]
    links: tuple[str, ...]
    resource: dict[str, Any]


Point = tuple[dict[str, Any], Any]


class Collector(ThreadingHTTPServer):
    """Listens on 127.0.0.1. `raw`: every byte it was sent; `metrics`: name -> latest points."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Told] = []
        self.metrics: dict[str, list[Point]] = {}
        self.raw = b""
        self._mutex = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def take(self, path: str, body: bytes) -> None:
        with self._mutex:
            self.raw += body
            if path == "/v1/traces":
                self._take_spans(body)
            elif path == "/v1/metrics":
                self._take_metrics(body)

    def _take_spans(self, body: bytes) -> None:
        request = _trace.ExportTraceServiceRequest()
        request.ParseFromString(body)
        for resource in request.resource_spans:
            named = _plain(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [_told(span, named) for span in scope.spans]

    def _take_metrics(self, body: bytes) -> None:
        request = _metrics.ExportMetricsServiceRequest()
        request.ParseFromString(body)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    data = getattr(metric, metric.WhichOneof("data"))
                    self.metrics[metric.name] = [
                        (_plain(point.attributes), _value(point)) for point in data.data_points
                    ]

    def named(self, name: str) -> list[Told]:
        """Spans whose name begins so."""
        return [span for span in self.spans if span.name.startswith(name)]

    def above(self, span: Told) -> list[Told]:
        """The span, its caller, that one's caller, up to the first that was not sent here."""
        by_id = {each.id: each for each in self.spans}
        found = [span]
        while found[-1].above in by_id:
            found.append(by_id[found[-1].above])
        return found

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.take(self.path, body)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


def _told(span: Any, resource: dict[str, Any]) -> Told:
    return Told(
        span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
        KINDS[span.kind], span.start_time_unix_nano / 1e9, span.end_time_unix_nano / 1e9,
        span.status.code == 2, _plain(span.attributes),
        tuple(link.span_id.hex() for link in span.links), resource,
    )  # fmt: skip


def _plain(attributes: Any) -> dict[str, Any]:
    return {each.key: _any(each.value) for each in attributes}


def _any(value: Any) -> Any:
    kind = value.WhichOneof("value")
    found = getattr(value, kind)
    return [_any(each) for each in found.values] if kind == "array_value" else found


def _value(point: Any) -> Any:
    """A number, or of a histogram (count, sum)."""
    if hasattr(point, "bucket_counts"):
        return point.count, point.sum
    return getattr(point, point.WhichOneof("value"))
