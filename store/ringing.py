"""What the dispatcher asks: which ids to put into the queue, and what the queue holds already.

Asked many times a second, also of jobs of a hundred thousand items: each condition here is the
range of an index. Not here: what becomes of an item (items.py).
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, text, update

from store.items import MOST_ATTEMPTS, OPEN, free, running, running_job, suspect
from store.schema import items, jobs

BELL_SECONDS = 15.0  # a pending item whose id was put into the queue earlier is put there again
SMALL = 16  # a job of so few questions goes before larger ones
MOST_SUSPECTS = 1000
MOST_BUSY = 500  # jobs with something in the queue that are told apart from idle ones


@dataclass(frozen=True, slots=True)
class Outstanding:
    """Ids in the queue that nobody took yet, of small and of larger jobs; items worked on."""

    small: int
    large: int
    working: int

    @property
    def waiting(self) -> int:
        return self.small + self.large


def outstanding(connection: Connection) -> Outstanding:
    """What the queue holds, as far as the database knows."""
    now = time.time()
    rung = (items.c.state == "pending") & (items.c.rung >= now - BELL_SECONDS)
    query = select(_small(), func.count()).join_from(items, jobs, jobs.c.id == items.c.job_id)
    by_size = query.where(rung).group_by(text("1"))
    waiting = {bool(small): n for small, n in connection.execute(by_size)}
    leased = (items.c.state == "leased") & (items.c.lease_until >= now)
    working = connection.scalar(select(func.count()).select_from(items).where(leased))
    return Outstanding(waiting.get(True, 0), waiting.get(False, 0), int(working or 0))


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the database found: which items may be rung for, and each job's load."""

    conditions: Sequence[ColumnElement[bool]]
    load: Mapping[str, int]


def look(connection: Connection) -> Look:
    """One look, for several questions to `due` within a transaction."""
    return Look((_pending(), _left(connection)), _load(connection))


def due(
    connection: Connection, count: int, *, small: bool | None = None, seen: Look | None = None
) -> list[int]:
    """Up to `count` ids to put into the queue, each of the job that has the fewest there by then.

    small: only jobs of SMALL questions at most, or only larger ones. seen: this transaction's look.
    """
    seen = seen or look(connection)
    conditions, load = seen.conditions, seen.load
    turns: list[tuple[int, int, list[int]]] = []
    for place, job_id in enumerate(_waiting(connection, conditions, load, count, small)):
        ids: list[int] = []
        for condition in conditions:
            of_job = select(items.c.id).where(items.c.job_id == job_id, condition)
            ids += connection.scalars(of_job.order_by(items.c.id).limit(count))
        if ids:
            turns.append((load.get(job_id, 0), place, sorted(ids)))
    heapq.heapify(turns)
    chosen: list[int] = []
    while turns and len(chosen) < count:
        busy, place, ids = heapq.heappop(turns)
        chosen.append(ids[0])
        if ids[1:]:
            heapq.heappush(turns, (busy + 1, place, ids[1:]))
    return chosen


def _waiting(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], load: Mapping[str, int],
    count: int, small: bool | None,
) -> list[str]:  # fmt: skip
    """Running jobs with something due: those with nothing in the queue first, oldest first."""
    mine = items.c.job_id == jobs.c.id
    some = or_(*[select(items.c.id).where(mine, one).exists() for one in conditions])
    query = select(jobs.c.id).where(running_job(), some).order_by(jobs.c.created).limit(count)
    if small is not None:
        query = query.where(_small() if small else ~_small())
    busy = sorted(load, key=lambda job_id: load[job_id])[:MOST_BUSY]
    idle = list(connection.scalars(query.where(jobs.c.id.not_in(busy))))
    return idle + list(connection.scalars(query.where(jobs.c.id.in_(busy))))


def _load(connection: Connection) -> dict[str, int]:
    """job -> how many of its items wait in the queue or are being worked on."""
    now = time.time()
    rung = (items.c.state == "pending") & (items.c.rung >= now - BELL_SECONDS)
    held = (items.c.state == "leased") & (items.c.lease_until >= now)
    load: dict[str, int] = {}
    for condition in (rung, held):  # one index each; both at once would read all that is pending
        query = select(items.c.job_id, func.count()).where(condition).group_by(items.c.job_id)
        for job_id, number in connection.execute(query):
            load[job_id] = load.get(job_id, 0) + number
    return load


def _small() -> ColumnElement[bool]:
    return jobs.c.total <= SMALL


def _unheard() -> ColumnElement[bool]:
    return or_(items.c.rung.is_(None), items.c.rung < time.time() - BELL_SECONDS)


def _pending() -> ColumnElement[bool]:
    tried = items.c.attempts < MOST_ATTEMPTS
    return and_(items.c.state == "pending", free(time.time()), tried, _unheard())


def _left(connection: Connection) -> ColumnElement[bool]:
    """Items whose owner fell silent; of suspects the first."""
    now = time.time()
    first = _first_suspect(connection, now)
    fair = or_(~suspect(), items.c.id == first) if first else ~suspect()
    gone = (items.c.state == "leased") & (items.c.lease_until < now)
    return and_(gone, free(now), items.c.attempts < MOST_ATTEMPTS, _unheard(), fair)


def _first_suspect(connection: Connection, now: float) -> int | None:
    """The one suspect that may be rung for; None while one is rung for that nobody took."""
    left = and_(suspect(), items.c.lease_until < now, running())
    query = select(items.c.id, items.c.rung).where(left).order_by(items.c.rung.desc().nulls_last())
    rows = connection.execute(query.limit(MOST_SUSPECTS)).all()
    heard = [row.id for row in rows if row.rung is None or row.rung < now - BELL_SECONDS]
    return min(heard) if len(heard) == len(rows) and heard else None


def rung(connection: Connection, ids: Sequence[int]) -> None:
    """Note that these ids were put into the queue, those that nobody took meanwhile."""
    now = time.time()
    free = or_(items.c.state == "pending", items.c.lease_until < now)
    connection.execute(update(items).where(items.c.id.in_(ids), free).values(rung=now))


def unrung(connection: Connection, ids: Sequence[int]) -> None:
    """Note that these ids did not get into the queue."""
    connection.execute(update(items).where(items.c.id.in_(ids)).values(rung=None))


def unring(connection: Connection) -> None:
    """The queue has forgotten everything: what waited in it is due again."""
    waiting = items.c.state.in_(OPEN) & items.c.rung.is_not(None)
    connection.execute(update(items).where(waiting).values(rung=None))


def waiting(connection: Connection, kinds: Sequence[str]) -> bool:
    """Whether somebody was rung for an item of these kinds that nobody has taken yet."""
    rung = (items.c.state == "pending") & items.c.rung.is_not(None)
    query = select(items.c.id).join_from(items, jobs, jobs.c.id == items.c.job_id)
    found = query.where(rung, running_job(), jobs.c.kind.in_(kinds)).limit(1)
    return connection.execute(found).first() is not None


def kinds(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """What kind of work each item is."""
    query = select(items.c.id, jobs.c.kind).join_from(items, jobs, jobs.c.id == items.c.job_id)
    return {row.id: row.kind for row in connection.execute(query.where(items.c.id.in_(ids)))}
