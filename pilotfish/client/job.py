"""A job of many questions: a handle on what the service does, looked at when asked to.

Not here: submitting (client.py), how lines come over broken connections (follow.py).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pilotfish.client.errors import ServiceError, TimedOut
from pilotfish.client.follow import Lines, Patience, paused
from pilotfish.client.progress import Progress
from pilotfish.client.results import JobView, Result, job_view, result

if TYPE_CHECKING:
    from pilotfish.client.transport import Transport

FIRST_LOOK, LAST_LOOK = 0.1, 1.0  # seconds between looks


class Job:
    """`view` is the job as last looked at; `refresh` looks again, and so do the verbs."""

    def __init__(self, transport: Transport, view: JobView) -> None:
        self._transport = transport
        self.view = view

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.state} {self.done}/{self.total}>"

    @property
    def id(self) -> str:
        return self.view.id

    @property
    def state(self) -> str:
        return self.view.state

    @property
    def ended(self) -> bool:
        return self.view.ended

    @property
    def total(self) -> int:
        return self.view.total

    @property
    def done(self) -> int:
        return self.view.done

    @property
    def failed(self) -> int:
        return self.view.failed

    @property
    def cost_usd(self) -> float | None:
        return self.view.cost_usd

    def refresh(self) -> Job:
        """Look again."""
        self.view = job_view(self._transport.get(f"/v1/jobs/{self.id}"))
        return self

    def wait(
        self, timeout: float | None = None,
        progress: bool | Callable[[JobView], None] = False,
    ) -> Job:  # fmt: skip
        """Until it has ended; JobPaused while it is paused, TimedOut after `timeout` seconds.

        progress: True shows it on stderr; a function is called with each look.
        """
        tell = Progress() if progress is True else (progress or None)
        end = None if timeout is None else time.monotonic() + timeout
        patience, pause = Patience(), FIRST_LOOK
        while True:
            try:
                self.refresh()
                patience.heard()
            except ServiceError as error:
                patience.bear(error)
                continue
            if tell is not None:
                tell(self.view)
            if self.ended:
                return self
            if self.state == "paused":
                raise paused(self.view)
            if end is not None and time.monotonic() + pause > end:
                raise TimedOut(f"job {self.id} has {self.done} of {self.total} after {timeout:g} s")
            time.sleep(pause)
            pause = min(pause * 1.5, LAST_LOOK)

    def results(self, follow: bool = False, trace: bool = False) -> Iterator[Result]:
        """Those that are finished, in order; with `follow` each as it finishes, to the end.

        Goes on after broken connections and restarts of the service; each comes once, or again
        when it was retried. trace: with what each step did in `raw` (not with `follow`).
        """
        lines = Lines(self._transport, self.id, trace)
        for line in lines.follow() if follow else lines.finished():
            yield result(line)
        if lines.view is not None:
            self.view = lines.view

    def to_jsonl(self, path: str | Path) -> int:
        """Write the finished lines in order, as `pilotfish batch` does; give how many.

        The file appears whole or not at all.
        """
        target = Path(path)
        beside = target.with_name(f".{target.name}.{os.getpid()}.part")
        count = 0
        try:
            with beside.open("w", encoding="utf-8") as out:
                for line in Lines(self._transport, self.id).finished():
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")
                    count += 1
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        return count

    def pause(self) -> Job:
        """Take no more of its items; what is being worked on ends."""
        return self._told("pause")

    def resume(self) -> Job:
        """Go on with what is missing."""
        return self._told("resume")

    def cancel(self) -> Job:
        """Take no more of its items, for good."""
        return self._told("cancel")

    def retry(self, states: Sequence[str] = ("failed", "dead", "unknown")) -> Job:
        """Do the items again that ended so."""
        path = f"/v1/jobs/{self.id}/retry"
        self.view = job_view(self._transport.post(path, {"states": list(states)}))
        return self

    def _told(self, verb: str) -> Job:
        self.view = job_view(self._transport.post(f"/v1/jobs/{self.id}/{verb}"))
        return self
