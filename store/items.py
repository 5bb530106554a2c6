"""Items as the service works on them: taken by id, kept by heartbeat, put back, buried.

The queue only carries ids; whoever takes an item counts its fence up, which makes the writes
of an earlier owner void. All are single statements that hold by themselves, so they need no
lock. Not here: what is put into the queue (ringing.py), submitting jobs (submissions.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Float,
    and_,
    bindparam,
    case,
    or_,
    select,
    update,
)

from store import ledger
from store.passages import chunks
from store.schema import collections, items, jobs
from store.schema import ledger as calls

KINDS = ("answer", "index")
MOST_ATTEMPTS = 3
OPEN = ("pending", "leased")
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
    collection_id: int
    recipe: str
    parameters: dict[str, Any]
    kind: str
    tenant: str
    key_id: str | None


def take(connection: Connection, item_id: int, owner: str, lease: float) -> Taken | None:
    """The item, leased for `lease` seconds; None when done, taken, too early, or its job rests."""
    now = time.time()
    values = {"b_id": item_id, "b_now": now, "b_owner": owner, "b_until": now + lease}
    done = connection.execute(_TAKE, values)
    return _taken(connection, item_id) if done.rowcount == 1 else None


def free(now: float | BindParameter[float]) -> ColumnElement[bool]:
    """Pending and not too early, or left by an owner whose lease ran out."""
    due = or_(items.c.not_before.is_(None), items.c.not_before <= now)
    left = and_(items.c.state == "leased", items.c.lease_until < now)
    return or_(
        and_(items.c.state == "pending", due), and_(left, or_(~suspect(), ~_one_at_risk(now)))
    )


def suspect() -> ColumnElement[bool]:
    """Its worker fell silent over it, and it has one attempt left: it may be what kills workers.

    Such items are taken one at a time, so that those that only were beside it live.
    """
    return and_(items.c.state == "leased", items.c.attempts == MOST_ATTEMPTS - 1)


def _one_at_risk(now: float | BindParameter[float]) -> ColumnElement[bool]:
    """Whether some item is at its last attempt at this moment."""
    other = items.alias()
    last = (other.c.state == "leased") & (other.c.attempts >= MOST_ATTEMPTS)
    return select(other.c.id).where(last, other.c.lease_until >= now).exists()


def running() -> ColumnElement[bool]:
    """Items of jobs that the service works on."""
    return select(jobs.c.id).where(jobs.c.id == items.c.job_id, running_job()).exists()


def running_job() -> ColumnElement[bool]:
    """Jobs that the service works on; those of `pilotfish batch` are its own."""
    return (jobs.c.state == "running") & jobs.c.kind.in_(KINDS)


def _cancelled() -> ColumnElement[bool]:
    ended = select(jobs.c.id).where(jobs.c.id == items.c.job_id, jobs.c.state == "cancelled")
    return ended.exists()


def _taken(connection: Connection, item_id: int) -> Taken:
    return Taken(**connection.execute(_TAKEN, {"b_id": item_id}).one()._mapping)


def beat(connection: Connection, owner: str, lease: float, at_work: Sequence[int]) -> int:
    """Renew this owner's leases of what is at work in it; give how many.

    One whose end could not be written is at work no more: it must come into other hands.
    """
    mine = (items.c.owner == owner) & (items.c.state == "leased") & items.c.id.in_(at_work)
    values = {"lease_until": time.time() + lease}
    return connection.execute(update(items).where(mine).values(values)).rowcount


def finish(connection: Connection, taken: Taken, state: str, result: object, error: object) -> bool:
    """Write the one result; False when the item is in other hands by now."""
    values = {"state": state, "result": result, "error": error, "finished": time.time()}
    named = {f"b_{name}": value for name, value in values.items()}
    done = connection.execute(_FINISH, {"b_id": taken.id, "b_fence": taken.fence, **named})
    return done.rowcount == 1


# Made once: building a statement takes longer than running it.
_I, _J = items.c, jobs.c
_ID: BindParameter[int] = bindparam("b_id")
_NOW: BindParameter[float] = bindparam("b_now", type_=Float)
_TAKE = (
    update(items)
    .where(_I.id == _ID, _I.attempts < MOST_ATTEMPTS, free(_NOW), running())
    .values(
        state="leased", owner=bindparam("b_owner"), fence=_I.fence + 1, attempts=_I.attempts + 1,
        lease_until=bindparam("b_until"), not_before=None, rung=None,
    )
)  # fmt: skip
_TAKEN = (
    select(_I.id, _I.job_id, _I.ordinal, _I.custom_id, _I.question, _I.fence, _I.attempts,
           collections.c.name.label("collection"), _J.collection_id, _J.recipe, _J.parameters,
           _J.kind, _J.tenant,
           _J.key_id)
    .join_from(items, jobs, _J.id == _I.job_id)
    .join(collections, collections.c.id == _J.collection_id)
    .where(_I.id == _ID)
)  # fmt: skip
_FINISH = (
    update(items)
    .where(_I.id == _ID, _I.fence == bindparam("b_fence"), _I.state == "leased")
    .values(
        {name: bindparam(f"b_{name}") for name in ("state", "result", "error", "finished")}
        | {"lease_until": None}
    )
)


def put_back(
    connection: Connection, taken: Taken, wait: float = 0.0, *, burnt: bool = True
) -> bool:
    """Make the item pending again after `wait` seconds; not `burnt`: the attempt does not count."""
    state = case((_cancelled(), "cancelled"), else_="pending")
    values: dict[str, object] = {"state": state, "lease_until": None, "rung": None}
    values["not_before"] = time.time() + wait if wait else None
    if not burnt:
        values["attempts"] = items.c.attempts - 1
    back = connection.execute(update(items).where(_mine(taken)).values(values)).rowcount == 1
    if back:  # whatever was sent for it, nobody listens any more
        sent = (calls.c.item_id == taken.id) & (calls.c.state == "sent")
        lost = {"state": "unknown", "finished": time.time()}
        connection.execute(update(calls).where(sent).values(lost))
    return back


def _mine(taken: Taken) -> ColumnElement[bool]:
    held = (items.c.id == taken.id) & (items.c.fence == taken.fence)
    return held & (items.c.state == "leased")


def let_go(connection: Connection, owner: str) -> int:
    """Give back what an owner that ends still holds, without burning the attempts."""
    mine = (items.c.owner == owner) & (items.c.state == "leased")
    values = {"state": "pending", "lease_until": None, "rung": None}
    given = update(items).where(mine).values(**values, attempts=items.c.attempts - 1)
    return connection.execute(given).rowcount


def bury(connection: Connection, thorough: bool = False) -> int:
    """End what nobody will take again: taken as often as allowed and left each time, or left in
    a cancelled job. Gives how many. thorough: also what was put back so, which reads all that
    is pending.
    """
    in_cancelled, too_often = _lost(thorough)
    ended = {"finished": time.time(), "lease_until": None}
    left = update(items).where(in_cancelled).values(state="cancelled", **ended)
    dead = update(items).where(too_often).values(state="dead", error=BURIED, **ended)
    return sum(connection.execute(each).rowcount for each in (left, dead))


def lost(connection: Connection, thorough: bool = False) -> bool:
    """Whether `bury` would end anything."""
    found = (select(items.c.id).where(one).limit(1) for one in _lost(thorough))
    return any(connection.execute(query).first() is not None for query in found)


def _lost(thorough: bool) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """(left in a cancelled job, left after its last attempt)."""
    silent = (items.c.state == "leased") & (items.c.lease_until < time.time())
    out = or_(silent, items.c.state == "pending") if thorough else silent
    tried = items.c.attempts >= MOST_ATTEMPTS
    return and_(out, _cancelled()), and_(out, tried, _of_the_service())


def _of_the_service() -> ColumnElement[bool]:
    ours = select(jobs.c.id).where(jobs.c.id == items.c.job_id, jobs.c.kind.in_(KINDS))
    return ours.exists()


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
