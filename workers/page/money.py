"""Usage: what was spent by day, model and job, with bars whose lengths are reckoned here.

Not here: the sums (store/usage.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fastapi import APIRouter, Request
from starlette.responses import Response

from store import usage
from store.usage import Usage
from workers.page.shown import shown
from workers.requests import Asker, Service

router = APIRouter(include_in_schema=False)
Days = Literal["7", "30", "90"]
_DAY = 86_400
MOST = 20  # lines of one table


@dataclass(frozen=True, slots=True)
class Bar:
    """One column. Places and sizes in the picture's own units, the picture being 120 high."""

    name: str
    x: float
    y: float
    width: float
    height: float
    line: Usage


@router.get("/usage")
def spent(request: Request, who: Asker, jobs: Service, days: Days = "30") -> Response:
    """Sums of the ledger over the last days."""
    count, today = int(days), int(time.time()) // _DAY
    since = float((today - count + 1) * _DAY)
    with jobs.database.read() as connection:
        by_day = usage.sums(connection, "day", tenant=who.tenant, since=since)
        by_model = usage.sums(connection, "model", tenant=who.tenant, since=since)
        by_job = usage.sums(connection, "job", tenant=who.tenant, since=since)
    priced = any(line.cost_usd for line in by_day)
    return shown(
        request, "usage.html", 200, days=days, every=get_args(Days), total=_total(by_day),
        bars=_bars(_filled(by_day, today, count), priced), priced=priced,
        tables=[("Day", by_day[::-1][:MOST]), ("Model", _dearest(by_model)),
                ("Job", _dearest(by_job))],
    )  # fmt: skip


def _dearest(lines: Sequence[Usage]) -> list[Usage]:
    return sorted(lines, key=lambda line: (-line.cost_usd, -line.llm_calls))[:MOST]


def _filled(lines: Sequence[Usage], today: int, count: int) -> list[Usage]:
    """A line for each day, also for those on which nothing was spent."""
    known = {line.group: line for line in lines}
    days = [time.strftime("%Y-%m-%d", time.gmtime((today - n) * _DAY)) for n in range(count)]
    return [known.get(day, Usage(day, 0, 0, 0, 0.0, 0, 0, 0.0)) for day in reversed(days)]


def _bars(lines: Sequence[Usage], priced: bool) -> list[Bar]:
    """Dollars where any price is known, calls else."""
    values = [line.cost_usd if priced else float(line.llm_calls) for line in lines]
    most = max([*values, 1e-12])
    step = 720 / max(len(lines), 1)
    heights = [round(value / most * 110, 1) if value else 0.0 for value in values]
    return [
        Bar(line.group, round(n * step + step * 0.14, 1), round(118 - height, 1),
            round(step * 0.72, 1), height, line)
        for n, (line, height) in enumerate(zip(lines, heights, strict=True))
    ]  # fmt: skip


def _total(lines: Sequence[Usage]) -> dict[str, Any]:
    names = ("llm_calls", "prompt_tokens", "completion_tokens", "cost_usd", "unpriced_calls",
             "unknown_calls", "unknown_usd")  # fmt: skip
    return {name: sum(getattr(line, name) for line in lines) for name in names}
