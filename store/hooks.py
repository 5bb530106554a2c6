"""Webhooks that wait to be delivered. Not here: sending them (workers/webhooks.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from store.schema import deliveries, jobs


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that is to be sent. `webhook` holds the url and the secret."""

    id: str
    job_id: str
    event: str
    attempts: int
    created: float
    webhook: dict[str, Any]
    state: str


def due(connection: Connection, now: float, limit: int) -> list[Delivery]:
    """Messages whose time has come, oldest first; `state` is the job's."""
    d = deliveries.c
    query = (
        select(d.id, d.job_id, d.event, d.attempts, d.created, jobs.c.webhook, jobs.c.state)
        .join_from(deliveries, jobs, jobs.c.id == d.job_id)
        .where(d.state == "pending", d.not_before <= now)
        .order_by(d.not_before)
        .limit(limit)
    )
    return [Delivery(*row) for row in connection.execute(query)]


def delivered(connection: Connection, delivery_id: str) -> None:
    """The receiver took it."""
    _set(connection, delivery_id, state="delivered", error=None)


def failed(connection: Connection, delivery_id: str, error: str, again: float | None) -> None:
    """The receiver did not take it; next attempt at `again`, None: never."""
    if again is None:
        _set(connection, delivery_id, state="failed", error=error)
    else:
        _set(connection, delivery_id, state="pending", error=error, not_before=again)


def _set(connection: Connection, delivery_id: str, **values: object) -> None:
    mine = deliveries.c.id == delivery_id
    tried = deliveries.c.attempts + 1
    connection.execute(update(deliveries).where(mine).values(attempts=tried, **values))


def by_state(connection: Connection) -> dict[str, int]:
    """state -> how many messages there are."""
    query = select(deliveries.c.state, func.count().label("n")).group_by(deliveries.c.state)
    return {row.state: row.n for row in connection.execute(query)}
