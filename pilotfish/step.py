"""The one protocol and its one runner.

A Step is anything that takes a Case and gives a Case. `run` is the only caller of steps:
it times them, writes the trace and holds the failure policy. Not here: combinators
(pipeline/flow.py), which are Steps like any other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from pilotfish.errors import PilotfishError
from pilotfish.redact import redact
from pilotfish.types import Case, Event, Receipt

log = logging.getLogger("pilotfish.step")


class Step(Protocol):
    """Changes only the field of the Case that its folder owns; never mutates."""

    def __call__(self, case: Case, /) -> Case: ...


def step_name(step: Step) -> str:
    """`name` when the step has one, else the function's or class's name in lower case."""
    name = getattr(step, "name", None) or getattr(step, "__name__", None)
    return str(name or type(step).__name__).lower()


def run(step: Step, case: Case) -> Case:
    """Run one step; give its case with one more Event in the trace.

    A step that breaks (any exception that is not ours) is logged, traced and skipped:
    helpers may only help. A PilotfishError is raised on, carrying the trace so far
    in its `trace` attribute, so that what was spent is never lost from sight.
    """
    started, clock = time.time(), time.perf_counter()
    try:
        done = step(case)
    except PilotfishError as error:
        event = _event(step, started, clock, error=str(error))
        error.trace = (*(error.trace or case.trace), event)
        raise
    except Exception as error:  # the boundary: one helper must not end an item
        log.exception("step %s failed and was skipped", step_name(step))
        event = _event(step, started, clock, error=redact(f"{type(error).__name__}: {error}"))
        return _mark(replace(case, trace=(*case.trace, event)))
    event = _event(step, started, clock, detail=done.notes)
    return _mark(replace(done, notes={}, trace=(*done.trace, event)))


def receipt(trace: tuple[Event, ...], seconds: float) -> Receipt:
    """Add up the money of a trace. An unknown price makes the whole cost unknown."""
    costs = [event.cost_usd for event in trace]
    known = sum(cost for cost in costs if cost is not None)
    return Receipt(
        llm_calls=sum(event.llm_calls for event in trace),
        prompt_tokens=sum(event.prompt_tokens for event in trace),
        completion_tokens=sum(event.completion_tokens for event in trace),
        cost_usd=None if None in costs else round(known, 10),
        seconds=round(seconds, 4),
    )


def _event(
    step: Step,
    started: float,
    clock: float,
    error: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> Event:
    seconds = time.perf_counter() - clock
    return Event(step_name(step), started, seconds, error=error, detail=dict(detail or {}))


def _mark(case: Case) -> Case:
    """An answer that comes out of a run in which something broke is marked degraded."""
    if case.answer is None or case.answer.degraded or not any(e.error for e in case.trace):
        return case
    return replace(case, answer=replace(case.answer, degraded=True))
