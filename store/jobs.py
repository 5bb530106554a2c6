"""Jobs and their items: one item is one question, with at most one result.

Claims carry a fence: a later claim makes an earlier worker's writes void. Not here: who
works on them (pipeline/batch.py embedded, workers/ as a service).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, func, insert, or_, select, update

from store.schema import items, jobs

DONE = ("answered", "abstained", "failed")


@dataclass(frozen=True, slots=True)
class Item:
    """A claimed item; every write for it must carry its `fence`. `attempts` counts claims."""

    id: int
    ordinal: int
    custom_id: str
    question: dict[str, object]
    fence: int
    attempts: int


def submit(
    connection: Connection,
    job_id: str,
    collection_id: int,
    parameters: dict[str, object],
    questions: Sequence[tuple[str, dict[str, object]]],
) -> bool:
    """Write a job and its items in one transaction; False when the job is already there."""
    if connection.scalar(select(jobs.c.id).where(jobs.c.id == job_id)) is not None:
        return False
    recipe = str(parameters.get("recipe", "default"))
    row = {"id": job_id, "collection_id": collection_id, "recipe": recipe, "state": "running"}
    connection.execute(insert(jobs).values(
        **row, parameters=parameters, total=len(questions), created=time.time()
    ))  # fmt: skip
    rows = [
        {"job_id": job_id, "ordinal": ordinal, "custom_id": custom_id, "question": question}
        for ordinal, (custom_id, question) in enumerate(questions)
    ]
    if rows:
        connection.execute(insert(items), rows)
    return True


def release(connection: Connection, job_id: str) -> int:
    """Make claimed items of a stopped run, and answers that were forgotten, pending again."""
    again = items.c.state.in_(("leased", "forgotten"))
    done = connection.execute(
        update(items)
        .where(items.c.job_id == job_id, again)
        .values(state="pending", lease_until=None)
    )
    return done.rowcount


def retry_failed(connection: Connection, job_id: str) -> int:
    """Make failed items pending again."""
    failed = (items.c.job_id == job_id) & (items.c.state == "failed")
    return connection.execute(update(items).where(failed).values(state="pending")).rowcount


def claim(connection: Connection, job_id: str, owner: str, count: int, lease: float) -> list[Item]:
    """Take up to `count` pending items for `lease` seconds, lowest ordinal first."""
    now = time.time()
    ready = or_(items.c.not_before.is_(None), items.c.not_before <= now)
    wanted = list(connection.scalars(
        select(items.c.id).where(items.c.job_id == job_id, items.c.state == "pending", ready)
        .order_by(items.c.ordinal).limit(count)
    ))  # fmt: skip
    connection.execute(update(items).where(items.c.id.in_(wanted)).values(
        state="leased", owner=owner, fence=items.c.fence + 1,
        attempts=items.c.attempts + 1, lease_until=now + lease,
    ))  # fmt: skip
    columns = [items.c[name] for name in Item.__slots__]
    query = select(*columns).where(items.c.id.in_(wanted)).order_by(items.c.ordinal)
    return [Item(*row) for row in connection.execute(query)]


def finish(connection: Connection, item: Item, state: str, result: object, error: object) -> bool:
    """Write the one result; False when someone else holds the item by now."""
    values = {"state": state, "result": result, "error": error, "finished": time.time()}
    done = connection.execute(update(items).where(_held(item)).values(**values, lease_until=None))
    return done.rowcount == 1


def put_back(connection: Connection, item: Item) -> bool:
    """Make the item pending again without a result; False when someone else holds it by now."""
    values = {"state": "pending", "lease_until": None}
    return connection.execute(update(items).where(_held(item)).values(**values)).rowcount == 1


def _held(item: Item) -> ColumnElement[bool]:
    mine = (items.c.id == item.id) & (items.c.fence == item.fence)
    return mine & (items.c.state == "leased")


def progress(connection: Connection, job_id: str) -> dict[str, int]:
    """state -> how many items."""
    query = select(items.c.state, func.count().label("n")).where(items.c.job_id == job_id)
    return {row.state: row.n for row in connection.execute(query.group_by(items.c.state))}


def results(connection: Connection, job_id: str) -> list[dict[str, object]]:
    """One dict an item, in order: custom_id, question, state, result, error."""
    names = ("ordinal", "custom_id", "question", "state", "result", "error")
    query = select(*[items.c[n] for n in names]).where(items.c.job_id == job_id)
    return [dict(row._mapping) for row in connection.execute(query.order_by(items.c.ordinal))]


def close(connection: Connection, job_id: str) -> str:
    """Set and give the job's state: completed, completed_with_errors or running."""
    left = func.sum(case((items.c.state.in_(DONE), 0), else_=1))
    failed = func.sum(case((items.c.state == "failed", 1), else_=0))
    row = connection.execute(select(left, failed).where(items.c.job_id == job_id)).one()
    state = "running" if row[0] else "completed_with_errors" if row[1] else "completed"
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(state=state))
    return state
