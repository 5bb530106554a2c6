"""Telemetry: what the processes of the service tell OpenTelemetry of themselves, or nobody.

The seam. `Silent` is here; `Exporting` is in telemetry_otel.py, which alone knows OpenTelemetry
and is imported only where the environment names a collector (OTEL_EXPORTER_OTLP_ENDPOINT).
Names, numbers and ids are told, never questions, prompts, answers, documents or keys.
Not here: logs (logs.py), the figures for Prometheus (metrics.py).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pilotfish.types import Answer, Event
from store.items import Taken

MISSING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry's exporter is not installed: "
    'pip install "pilotfish[telemetry]"'
)
log = logging.getLogger("pilotfish.telemetry")


@dataclass(frozen=True, slots=True)
class Served:
    """How a request ended. `route`: its template; `status` 0: nobody was left to answer."""

    method: str
    route: str | None
    status: int
    seconds: float
    ids: Mapping[str, str]  # of the request, and of the job that it made


@dataclass(frozen=True, slots=True)
class Worked:
    """One attempt at an item. `started`: seconds since the epoch; `error`: its code, None: none."""

    taken: Taken
    started: float
    seconds: float
    trace: tuple[Event, ...]
    answer: Answer | None
    error: str | None

    @property
    def outcome(self) -> str:
        """answered, abstained, indexed, or what it failed of."""
        if self.error is not None:
            return self.error
        if self.taken.kind != "answer":
            return "indexed"
        return "abstained" if self.answer is None or self.answer.abstained else "answered"


class Open(Protocol):
    """A request that is being served. `context` is its W3C traceparent, for what it causes."""

    @property
    def context(self) -> str | None: ...

    def end(self, served: Served) -> None: ...


class Telemetry(Protocol):
    """Nothing of it raises: telemetry may end neither a request nor an item."""

    def request(self, traceparent: str | None) -> Open:
        """A request has come, within its sender's trace if it named one."""

    def worked(self, worked: Worked) -> None:
        """An item was worked on: its span, its steps' and its LLM calls' below it."""

    def watch(self, page: Callable[[], str]) -> None:
        """From now on export the figures that stand on this page (Prometheus' text format)."""

    def close(self) -> None:
        """Send what was not sent yet."""


class _Unseen:
    """A request that nobody watches."""

    context: str | None = None

    def end(self, served: Served) -> None: ...


class Silent:
    """Tells nobody."""

    def request(self, traceparent: str | None) -> Open:
        return _Unseen()

    def worked(self, worked: Worked) -> None: ...

    def watch(self, page: Callable[[], str]) -> None: ...

    def close(self) -> None: ...


def endpoint(signal: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Where TRACES or METRICS go by OpenTelemetry's own variables; None: nowhere."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if environment.get(f"OTEL_{signal}_EXPORTER", "otlp").strip() != "otlp":
        return None
    own = environment.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return own or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None


def telemetry(instance: str) -> Telemetry:
    """What the environment asks for. `instance` tells this process from all others."""
    if not (endpoint("TRACES") or endpoint("METRICS")):
        return Silent()
    try:
        from workers.telemetry_otel import Exporting
    except ImportError:
        log.warning(MISSING)
        return Silent()
    return Exporting(instance)
