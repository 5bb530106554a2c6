"""Items as the service works on them: taken by id, kept by heartbeat, put back, buried.

The queue only carries ids; whoever takes an item counts its fence up, which makes the writes
of an earlier owner void. All are single statements that hold by themselves, so they need no
lock. Not here: submitting jobs and reading results (jobs.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update

from store import ledger
from store.passages import chunks
from store.schema import collections, items, jobs

KINDS = ("answer", "index")
MOST_ATTEMPTS = 3
MOST_SUSPECTS = 1000
BELL_SECONDS = 15.0  # a pending item whose id was put into the queue earlier is put there again
# An item that ends so stays so, unless somebody asks for it again.
TERMINAL = ("answered", "abstained", "failed", "dead", "unknown", "cancelled", "forgotten")
AGAIN = ("failed", "dead", "unknown")  # what `retry` does again
BURIED = {
    "code": "dead",
    "type": "failed",
    "message": f"the worker died {MOST_ATTEMPTS} times over it: see its log, then retry",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """An item in a worker's hands; every write for it carries its `fence`."""

    id: int
    job_id: str
    ordinal: int
    custom_id: str
    question: dict[str, Any]
    fence: int
    attempts: int
    collection: str
    recipe: str
    parameters: dict[str, Any]
    kind: str
    tenant: str
    key_id: str | None


def take(connection: Connection, item_id: int, owner: str, lease: float) -> Taken | None:
    """The item, leased for `lease` seconds; None when done, taken, too early, or its job rests."""
    now = time.time()
    done = connection.execute(
        update(items)
        .where(items.c.id == item_id, items.c.attempts < MOST_ATTEMPTS, _free(now), _running())
        .values(
            state="leased", owner=owner, fence=items.c.fence + 1,
            attempts=items.c.attempts + 1, lease_until=now + lease, not_before=None,
        )
    )  # fmt: skip
    return _taken(connection, item_id) if done.rowcount == 1 else None


def _free(now: float) -> ColumnElement[bool]:
    """Pending and not too early, or left by an owner whose lease ran out."""
    due = or_(items.c.not_before.is_(None), items.c.not_before <= now)
    left = and_(items.c.state == "leased", items.c.lease_until < now)
    return or_(
        and_(items.c.state == "pending", due), and_(left, or_(~_suspect(), ~_one_at_risk(now)))
    )


def _suspect() -> ColumnElement[bool]:
    """Its worker fell silent over it, and it has one attempt left: it may be what kills workers.

    Such items are taken one at a time, so that those that only were beside it live.
    """
    return and_(items.c.state == "leased", items.c.attempts == MOST_ATTEMPTS - 1)


def _one_at_risk(now: float) -> ColumnElement[bool]:
    """Whether some item is at its last attempt at this moment."""
    other = items.alias()
    last = (other.c.state == "leased") & (other.c.attempts >= MOST_ATTEMPTS)
    return select(other.c.id).where(last, other.c.lease_until >= now).exists()


def _running() -> ColumnElement[bool]:
    running = select(jobs.c.id).where(jobs.c.id == items.c.job_id, running_job())
    return running.exists()


def running_job() -> ColumnElement[bool]:
    """Jobs that the service works on; those of `pilotfish batch` are its own."""
    return (jobs.c.state == "running") & jobs.c.kind.in_(KINDS)


def _cancelled() -> ColumnElement[bool]:
    ended = select(jobs.c.id).where(jobs.c.id == items.c.job_id, jobs.c.state == "cancelled")
    return ended.exists()


def _taken(connection: Connection, item_id: int) -> Taken:
    i, j = items.c, jobs.c
    query = (
        select(i.id, i.job_id, i.ordinal, i.custom_id, i.question, i.fence, i.attempts,
               collections.c.name.label("collection"), j.recipe, j.parameters, j.kind, j.tenant,
               j.key_id)
        .join_from(items, jobs, j.id == i.job_id)
        .join(collections, collections.c.id == j.collection_id)
        .where(i.id == item_id)
    )  # fmt: skip
    return Taken(**connection.execute(query).one()._mapping)


def beat(connection: Connection, owner: str, lease: float) -> int:
    """Renew every lease of this owner; give how many."""
    mine = (items.c.owner == owner) & (items.c.state == "leased")
    values = {"lease_until": time.time() + lease}
    return connection.execute(update(items).where(mine).values(values)).rowcount


def finish(connection: Connection, taken: Taken, state: str, result: object, error: object) -> bool:
    """Write the one result; False when the item is in other hands by now."""
    values = {"state": state, "result": result, "error": error, "finished": time.time()}
    done = connection.execute(update(items).where(_mine(taken)).values(**values, lease_until=None))
    return done.rowcount == 1


def put_back(
    connection: Connection, taken: Taken, wait: float = 0.0, *, burnt: bool = True
) -> bool:
    """Make the item pending again after `wait` seconds; not `burnt`: the attempt does not count."""
    state = case((_cancelled(), "cancelled"), else_="pending")
    values: dict[str, object] = {"state": state, "lease_until": None, "rung": None}
    values["not_before"] = time.time() + wait if wait else None
    if not burnt:
        values["attempts"] = items.c.attempts - 1
    return connection.execute(update(items).where(_mine(taken)).values(values)).rowcount == 1


def _mine(taken: Taken) -> ColumnElement[bool]:
    held = (items.c.id == taken.id) & (items.c.fence == taken.fence)
    return held & (items.c.state == "leased")


def let_go(connection: Connection, owner: str) -> int:
    """Give back what an owner that ends still holds, without burning the attempts."""
    mine = (items.c.owner == owner) & (items.c.state == "leased")
    values = {"state": "pending", "lease_until": None, "rung": None}
    given = update(items).where(mine).values(**values, attempts=items.c.attempts - 1)
    return connection.execute(given).rowcount


def bury(connection: Connection) -> int:
    """End what nobody will take again: taken as often as allowed and left each time, or left in
    a cancelled job. Gives how many.
    """
    now = time.time()
    lost = (items.c.state == "leased") & (items.c.lease_until < now)
    lost |= items.c.state == "pending"
    ended = {"finished": now, "lease_until": None}
    left = update(items).where(lost, _cancelled()).values(state="cancelled", **ended)
    gone = update(items).where(lost, items.c.attempts >= MOST_ATTEMPTS, _of_the_service())
    dead = gone.values(state="dead", error=BURIED, **ended)
    return sum(connection.execute(each).rowcount for each in (left, dead))


def _of_the_service() -> ColumnElement[bool]:
    ours = select(jobs.c.id).where(jobs.c.id == items.c.job_id, jobs.c.kind.in_(KINDS))
    return ours.exists()


def due(connection: Connection, count: int) -> list[int]:
    """Up to `count` ids to put into the queue, taking the running jobs in turn."""
    now = time.time()
    unheard = or_(items.c.rung.is_(None), items.c.rung < now - BELL_SECONDS)
    first = _first_suspect(connection, now)
    fair = or_(~_suspect(), items.c.id == first) if first else ~_suspect()
    wanted = and_(_free(now), unheard, items.c.attempts < MOST_ATTEMPTS, fair)
    waiting = select(items.c.id).where(items.c.job_id == jobs.c.id, wanted).exists()
    running = select(jobs.c.id).where(running_job(), waiting)
    found: list[list[int]] = []
    for job_id in list(connection.scalars(running.order_by(jobs.c.created).limit(count))):
        query = select(items.c.id).where(items.c.job_id == job_id, wanted)
        found.append(list(connection.scalars(query.order_by(items.c.id).limit(count))))
    turns = range(max(map(len, found), default=0))
    return [ids[turn] for turn in turns for ids in found if turn < len(ids)][:count]


def _first_suspect(connection: Connection, now: float) -> int | None:
    """The one suspect that may be rung for; None while one is rung for that nobody took."""
    left = and_(_suspect(), items.c.lease_until < now, _running())
    query = select(items.c.id, items.c.rung).where(left).order_by(items.c.rung.desc().nulls_last())
    rows = connection.execute(query.limit(MOST_SUSPECTS)).all()
    heard = [row.id for row in rows if row.rung is None or row.rung < now - BELL_SECONDS]
    return min(heard) if len(heard) == len(rows) and heard else None


def rung(connection: Connection, ids: Sequence[int]) -> None:
    """Note that these ids were put into the queue."""
    connection.execute(update(items).where(items.c.id.in_(ids)).values(rung=time.time()))


def unrung(connection: Connection, ids: Sequence[int]) -> None:
    """Note that these ids did not get into the queue."""
    connection.execute(update(items).where(items.c.id.in_(ids)).values(rung=None))


def unring(connection: Connection) -> None:
    """The queue has forgotten everything: what waited in it is due again."""
    connection.execute(update(items).where(items.c.state == "pending").values(rung=None))


def kinds(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """What kind of work each item is."""
    query = select(items.c.id, jobs.c.kind).join_from(items, jobs, jobs.c.id == items.c.job_id)
    return {row.id: row.kind for row in connection.execute(query.where(items.c.id.in_(ids)))}


def outstanding(connection: Connection) -> tuple[int, int]:
    """(ids in the queue that nobody took yet, items being worked on)."""
    now = time.time()
    waiting = (items.c.state == "pending") & (items.c.rung >= now - BELL_SECONDS)
    working = (items.c.state == "leased") & (items.c.lease_until >= now)
    return _count(connection, waiting), _count(connection, working)


def oldest_pending(connection: Connection) -> float | None:
    """When the oldest job with a pending item was submitted; None when nothing waits."""
    query = select(jobs.c.created).join_from(jobs, items, items.c.job_id == jobs.c.id)
    waiting = (items.c.state == "pending") & running_job()
    return connection.scalar(query.where(waiting).order_by(jobs.c.created).limit(1))


def state(connection: Connection, item_id: int) -> tuple[str, object, object] | None:
    """(state, result, error) of an item."""
    query = select(items.c.state, items.c.result, items.c.error).where(items.c.id == item_id)
    row = connection.execute(query).first()
    return None if row is None else (row.state, row.result, row.error)


def retry(connection: Connection, job_id: str, states: Sequence[str] = AGAIN) -> int:
    """Make failed, dead and unknown items pending again, with all their attempts.

    To ask for it is to accept that calls of unknown outcome are sent again.
    """
    mine = (items.c.job_id == job_id) & items.c.state.in_(states)
    for some in chunks(list(connection.scalars(select(items.c.id).where(mine)))):
        ledger.waive(connection, some)
    values: dict[str, object] = {"state": "pending", "attempts": 0, "error": None, "result": None}
    values |= {"not_before": None, "rung": None, "finished": None}
    return connection.execute(update(items).where(mine).values(values)).rowcount


def _count(connection: Connection, condition: ColumnElement[bool]) -> int:
    return int(connection.scalar(select(func.count()).select_from(items).where(condition)) or 0)
