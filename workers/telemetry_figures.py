"""The figures of /metrics, read back from their page: one source, equal names, in both places.

Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/), as far as
metrics.py writes it. Not here: the figures themselves.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pilotfish.errors import PilotfishError

KEPT_SECONDS = 1.0  # instruments ask one after the other: one look at the database is enough
_HEAD = re.compile(r"# (HELP|TYPE) (\w+) (.+)")
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(slots=True)
class Family:
    """A figure. `kind`: gauge or counter; `samples`: (labels, value)."""

    name: str
    kind: str = "gauge"
    text: str = ""
    samples: list[tuple[Mapping[str, str], float]] = field(default_factory=list)


def families(page: str) -> dict[str, Family]:
    """The page's figures by name."""
    found: dict[str, Family] = {}
    for line in page.splitlines():
        if head := _HEAD.fullmatch(line):
            what, name, text = head.groups()
            family = found.setdefault(name, Family(name))
            if what == "TYPE":
                family.kind = text
            else:
                family.text = text
        elif sample := _SAMPLE.fullmatch(line):
            name, labels, value = sample.groups()
            found.setdefault(name, Family(name)).samples.append((_labels(labels), float(value)))
    return found


def _labels(text: str | None) -> dict[str, str]:
    return {name: _ESCAPED.sub(_plain, value) for name, value in _LABEL.findall(text or "")}


def _plain(escaped: re.Match[str]) -> str:
    return "\n" if escaped.group(1) == "n" else escaped.group(1)


@dataclass(slots=True)
class Figures:
    """The page, read anew after KEPT_SECONDS; nothing while the database is away."""

    page: Callable[[], str]
    _read: dict[str, Family] = field(default_factory=dict)
    _until: float = 0.0
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> dict[str, Family]:
        with self._mutex:
            if time.monotonic() >= self._until:
                try:
                    self._read = families(self.page())
                except PilotfishError:
                    self._read = {}
                self._until = time.monotonic() + KEPT_SECONDS
            return self._read
