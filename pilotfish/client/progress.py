"""A job's progress on stderr: one line that changes on a terminal, else a line every 30 s."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

from pilotfish.client.results import JobView

EVERY_SECONDS = 30.0


@dataclass(slots=True)
class Progress:
    """Called with each look at the job."""

    _terminal: bool = field(default_factory=sys.stderr.isatty)
    _begun: float = field(default_factory=time.monotonic)
    _first: int | None = None
    _spoken: float = float("-inf")

    def __call__(self, job: JobView) -> None:
        now = time.monotonic()
        self._first = job.done if self._first is None else self._first
        text = _text(job, job.done - self._first, now - self._begun)
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if job.ended else ""))
            sys.stderr.flush()
        elif job.ended or now - self._spoken >= EVERY_SECONDS:
            self._spoken = now
            sys.stderr.write(text + "\n")


def _text(job: JobView, fresh: int, seconds: float) -> str:
    cost = "cost unknown" if job.cost_usd is None else f"${job.cost_usd:.4f}"
    parts = [f"{job.done}/{job.total} done", f"{job.failed} failed", cost]
    if job.ended or job.state == "paused":
        parts.append(job.state.replace("_", " "))
    elif fresh and seconds > 1:
        rate = fresh / seconds
        left = (job.total - job.done) / rate
        parts += [f"{rate:.1f}/s", f"{int(left // 60)}:{int(left % 60):02d} left"]
        if job.cost_usd:
            parts.append(f"${job.cost_usd * job.total / job.done:.4f} in the end")
    return f"{job.id}: " + ", ".join(parts)
