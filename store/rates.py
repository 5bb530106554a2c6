"""How fast a model may be called, and whether at all: shared by all workers.

Requests and tokens a minute; after a 429 the allowance is halved and grows back with each call
that succeeds; a `Retry-After` holds for everybody; failures in a row are counted, so that a
provider that is down stops the job instead of burning every item's attempts. Not here: waiting.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from store.prepared import Prepared
from store.schema import rates

MINUTE = 60.0
SHRINK, LEAST, GROW = 0.5, 0.05, 1.02
MOST_FAILURES = 20  # in a row, over all workers
# Made once: building a statement takes longer than running it.
_KNOWN = Prepared(select(rates).where(rates.c.model == bindparam("model")))
_BAD = Prepared(select(rates.c.factor).where(
    rates.c.model == bindparam("model"), (rates.c.failures > 0) | (rates.c.factor < 1.0)
))  # fmt: skip
_NEW = {"requests": 0, "tokens": 0, "factor": 1.0, "failures": 0}


@dataclass(frozen=True, slots=True)
class Rate:
    """What the provider allows a minute; None: no limit known."""

    requests: int | None = None
    tokens: int | None = None


def admit(connection: Connection, model: str, rate: Rate, tokens: int) -> float:
    """Count a call of `tokens` and give 0, or count nothing and give the seconds to wait.

    Call it in a transaction that holds the model's lock. A call larger than the whole
    allowance is let through at the start of a minute, else it would wait for ever.
    """
    now, limited = time.time(), rate.requests is not None or rate.tokens is not None
    row = _row(connection, model) if limited else _known(connection, model)
    if row is None:
        return 0.0
    if row.blocked_until is not None and row.blocked_until > now:
        return float(row.blocked_until - now)
    fresh = now - row.minute >= MINUTE
    used = (0, 0) if fresh else (row.requests, row.tokens)
    if not limited:
        return 0.0
    if any(used) and not _fits(rate, row.factor, used, tokens):
        return float(row.minute + MINUTE - now)
    start = now if fresh else row.minute
    values = {"minute": start, "requests": used[0] + 1, "tokens": used[1] + tokens}
    connection.execute(update(rates).where(rates.c.model == model).values(**values))
    return 0.0


def _known(connection: Connection, model: str) -> Any:
    return _KNOWN.first(connection, {"model": model})


def _row(connection: Connection, model: str) -> Any:
    """The model's row, made when missing."""
    row = _known(connection, model)
    if row is None:
        connection.execute(insert(rates).values(model=model, minute=time.time(), **_NEW))
        row = _known(connection, model)
    return row


def _fits(rate: Rate, factor: float, used: tuple[int, int], tokens: int) -> bool:
    asked = ((rate.requests, used[0] + 1), (rate.tokens, used[1] + tokens))
    return all(limit is None or wanted <= limit * factor for limit, wanted in asked)


def succeeded(connection: Connection, model: str) -> None:
    """A call was answered: the allowance grows back, failures are forgotten."""
    row = _BAD.first(connection, {"model": model})
    if row is not None:
        values = {"failures": 0, "factor": min(1.0, row.factor * GROW), "reason": None}
        connection.execute(update(rates).where(rates.c.model == model).values(**values))


def slowed(connection: Connection, model: str, wait: float | None) -> None:
    """The provider said 429: halve the allowance, and hold everybody for `wait` seconds."""
    row = _row(connection, model)
    values: dict[str, object] = {"factor": max(LEAST, row.factor * SHRINK)}
    if wait:
        values["blocked_until"] = max(row.blocked_until or 0.0, time.time() + wait)
    connection.execute(update(rates).where(rates.c.model == model).values(values))


def failed(connection: Connection, model: str, reason: str) -> int:
    """Count a failure; give how many there were in a row."""
    _row(connection, model)
    mine = rates.c.model == model
    values = {"failures": rates.c.failures + 1, "reason": reason[:500]}
    connection.execute(update(rates).where(mine).values(values))
    return int(connection.scalar(select(rates.c.failures).where(mine)) or 0)


def forgive(connection: Connection, model: str | None = None) -> None:
    """Forget failures in a row and blocks: somebody has mended it and resumes a job."""
    change = update(rates).values(failures=0, blocked_until=None, factor=1.0)
    connection.execute(change if model is None else change.where(rates.c.model == model))
