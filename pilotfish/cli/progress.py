"""Progress on stderr: a bar on a terminal, else a line every 30 seconds. Not here: results."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any

from pilotfish.cli.context import Context

_EVERY = 30.0


class Meter:
    """Counts done, failed and dollars of a long command. Any thread may tell it."""

    def __init__(self, options: Context, unit: str, total: int | None = None) -> None:
        self._shown = options.progress and not options.quiet
        self._terminal = sys.stderr.isatty()
        self._options = options
        self.unit, self.total = unit, total
        self.done = self.failed = 0
        self.dollars = 0.0
        self.others: dict[str, int] = {}
        self._lock = threading.RLock()  # passages are encoded on a thread beside the parsing
        self._started = self._said = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Meter:
        if self._shown and self._terminal:
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[note]}"),
            )
            self._bar = Progress(*columns, console=self._options.err(), transient=True)
            self._task = self._bar.add_task(self.unit, total=self.total, note="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def beside(self, unit: str, count: int) -> None:
        """Count something else that goes on at the same time."""
        with self._lock:
            self.others[unit] = self.others.get(unit, 0) + count
            self.tick(0)

    def tick(self, count: int = 1, *, failed: bool = False, dollars: float = 0.0) -> None:
        """One more is done."""
        with self._lock:
            self.done += count
            self.failed += failed
            self.dollars += dollars
            if self._shown:
                self._show()

    def _show(self) -> None:
        if self._bar:
            self._bar.update(
                self._task,
                description=self.unit,
                completed=self.done,
                total=self.total,
                note=self.note(),
            )
        elif time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            sys.stderr.write(f"{self.unit}: {self.note()}\n")

    def note(self) -> str:
        """done, failed, per second, time left, dollars spent and projected."""
        seconds = max(time.monotonic() - self._started, 1e-6)
        rate = self.done / seconds
        parts = [f"{self.done}" + (f"/{self.total}" if self.total else ""), f"{rate:.1f}/s"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.total and rate:
            parts.append(f"{(self.total - self.done) / rate:.0f} s left")
        if self.dollars and self.done:
            projected = self.dollars / self.done * (self.total or self.done)
            parts.append(f"${self.dollars:.4f} of about ${projected:.4f}")
        parts += [f"{count} {unit}" for unit, count in self.others.items()]
        return ", ".join(parts)
