"""Items in traces: how a request's context gets to the items it made, and what is told of them.

The context lies in the job's parameters, not in the queue's messages: those carry ids only, may
be lost, and are mostly sent by the dispatcher, which has no request. So it holds inline, through
Redis, after crashes and for whoever takes the item. An only question is a part of its request's
trace; the items of a longer job have traces of their own that link to it, since no viewer shows
ten thousand of them in one. Not here: sending (telemetry_otel.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from pilotfish.errors import PilotfishError
from pilotfish.types import Case
from store.items import Taken
from workers.logs import tenant_hash
from workers.telemetry import Telemetry, Worked

CARRIED = "traced"  # among a job's parameters: {"parent": traceparent} or {"link": traceparent}
CONTEXT: ContextVar[str | None] = ContextVar("pilotfish.traceparent", default=None)


def carrying(parameters: Mapping[str, Any], items: int) -> dict[str, Any]:
    """The parameters of a job of so many items, with the context of the request that makes it."""
    context = CONTEXT.get()
    how = "parent" if items == 1 else "link"
    return {**parameters, CARRIED: {how: context}} if context else dict(parameters)


def within(parameters: Mapping[str, Any]) -> str | None:
    """The traceparent that an item of such a job belongs under."""
    return _kept(parameters, "parent")


def linked_to(parameters: Mapping[str, Any]) -> list[str]:
    """The traceparents that an item of such a job links to."""
    found = _kept(parameters, "link")
    return [found] if found else []


def _kept(parameters: Mapping[str, Any], how: str) -> str | None:
    kept = parameters.get(CARRIED)
    found = kept.get(how) if isinstance(kept, dict) else None
    return str(found) if found else None


def trace_id(traceparent: str | None) -> str:
    """The second field of a traceparent (W3C Trace Context); "" for none."""
    return (traceparent or "").partition("-")[2].partition("-")[0]


def named(taken: Taken) -> dict[str, object]:
    """What lines of the log about an item carry."""
    return {
        "item": taken.id, "job": taken.job_id, "tenant": tenant_hash(taken.tenant),
        "trace": trace_id(within(taken.parameters)),
    }  # fmt: skip


@dataclass(slots=True)
class Watch:
    """What came of an attempt, for whoever makes it to say; nothing when it raised."""

    case: Case | None = None


@contextmanager
def watched(telemetry: Telemetry, taken: Taken) -> Iterator[Watch]:
    """Tell of the attempt at an item that is made in this block, however it ends."""
    started, clock = time.time(), time.perf_counter()
    watch, error = Watch(), None
    trace: tuple[Any, ...] = ()
    try:
        yield watch
    except PilotfishError as raised:
        error, trace = raised.code, raised.trace
        raise
    except BaseException as raised:
        error = type(raised).__name__
        raise
    finally:
        seconds, case = time.perf_counter() - clock, watch.case
        answer = case.answer if case else None
        trace = case.trace if case else trace
        telemetry.worked(Worked(taken, started, seconds, trace, answer, error))
