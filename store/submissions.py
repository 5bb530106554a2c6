"""Jobs as the service keeps them: accepted once, paused, resumed, cancelled, closed, listed.

Not here: their items (items.py), and batches of the command line (jobs.py).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from pilotfish.errors import InputError, NotFound
from store import budgets, labels
from store.items import AGAIN, KINDS, OPEN, TERMINAL, running_job
from store.schema import collections, deliveries, items, jobs

ENDED = ("completed", "completed_with_errors", "cancelled")


@dataclass(frozen=True, slots=True)
class Submission:
    """What is handed in. `questions`: (custom_id, the item's fields) in order."""

    collection_id: int
    recipe: str
    parameters: Mapping[str, object]
    questions: Sequence[tuple[str, Mapping[str, object]]]
    kind: str = "answer"
    tenant: str = ""
    key_id: str | None = None
    idempotency_key: str | None = None
    body_sha256: str | None = None
    budget_usd: float | None = None
    budget_tokens: int | None = None
    webhook: Mapping[str, object] | None = None
    notes: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as people see it. `counts`: state -> how many items."""

    id: str
    kind: str
    state: str
    collection: str
    recipe: str
    parameters: Mapping[str, Any]
    total: int
    created: float
    finished: float | None
    reason: str | None
    tenant: str
    key_id: str | None
    notes: Mapping[str, Any]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Items that have ended."""
        return sum(self.counts.get(state, 0) for state in TERMINAL)

    @property
    def failed(self) -> int:
        """Items that ended without an answer or an abstention."""
        return sum(self.counts.get(state, 0) for state in (*AGAIN, "cancelled"))


class Conflict(InputError):
    """The idempotency key was used for another request."""

    code = "idempotency_conflict"


def submit(connection: Connection, given: Submission) -> tuple[str, bool]:
    """(job id, whether it is new). All in one transaction; the same key and body, the same job."""
    known = _known(connection, given)
    if known is not None:
        return known, False
    job_id = f"job_{secrets.token_hex(12)}"
    names = ("collection_id", "recipe", "kind", "tenant", "key_id", "idempotency_key")
    row = {name: getattr(given, name) for name in (*names, "body_sha256")}
    row |= {"webhook": _plain(given.webhook), "notes": _plain(given.notes)}
    connection.execute(insert(jobs).values(
        **row, id=job_id, parameters=dict(given.parameters), state="running",
        total=len(given.questions), created=time.time(),
    ))  # fmt: skip
    rows = [
        {"job_id": job_id, "ordinal": n, "custom_id": custom_id, "question": dict(question)}
        for n, (custom_id, question) in enumerate(given.questions)
    ]
    if rows:
        connection.execute(insert(items), rows)
    if given.budget_usd is not None or given.budget_tokens is not None:
        budgets.limit(connection, f"job:{job_id}", given.budget_usd, given.budget_tokens)
    return job_id, True


def _plain(value: Mapping[str, object] | None) -> dict[str, object] | None:
    return None if value is None else dict(value)


def _known(connection: Connection, given: Submission) -> str | None:
    if given.idempotency_key is None:
        return None
    mine = (jobs.c.tenant == given.tenant) & (jobs.c.idempotency_key == given.idempotency_key)
    row = connection.execute(select(jobs.c.id, jobs.c.body_sha256).where(mine)).first()
    if row is not None and row.body_sha256 != given.body_sha256:
        raise Conflict(
            f"idempotency key {given.idempotency_key!r} was used for another request: "
            "send a new key with a new body"
        )
    return None if row is None else str(row.id)


def find(connection: Connection, job_id: str, tenant: str | None) -> Job:
    """The job, if it is the tenant's (None: anybody's); NotFound else, as for a guessed id."""
    query = _query().where(jobs.c.id == job_id)
    if tenant is not None:
        query = query.where(jobs.c.tenant == tenant)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"no job {job_id!r}")
    return _job(connection, row)


def listing(
    connection: Connection, tenant: str | None, limit: int, after: str | None = None
) -> list[Job]:
    """Up to `limit` jobs, newest first; those submitted before the job `after`."""
    query = _query().order_by(jobs.c.created.desc(), jobs.c.id.desc()).limit(limit)
    if tenant is not None:
        query = query.where(jobs.c.tenant == tenant)
    if after is not None:
        last = find(connection, after, tenant)
        earlier = (jobs.c.created == last.created) & (jobs.c.id < last.id)
        query = query.where((jobs.c.created < last.created) | earlier)
    return [_job(connection, row) for row in connection.execute(query).all()]


def _query() -> Any:
    j = jobs.c
    names = ("id", "kind", "state", "recipe", "parameters", "total", "created", "finished",
             "reason", "tenant", "key_id", "notes")  # fmt: skip
    query = select(*[j[name] for name in names], collections.c.name.label("collection"))
    return query.join_from(jobs, collections, collections.c.id == j.collection_id)


def _job(connection: Connection, row: Any) -> Job:
    values = dict(row._mapping)
    values["notes"] = values["notes"] or {}
    query = select(items.c.state, func.count().label("n")).where(items.c.job_id == row.id)
    counts = {r.state: r.n for r in connection.execute(query.group_by(items.c.state))}
    return Job(**values, counts=counts)


def results(
    connection: Connection, job_id: str, after: int, limit: int, states: Sequence[str] = TERMINAL
) -> list[dict[str, Any]]:
    """Ended items by ordinal, those after `after`: ordinal, custom_id, question, state, result."""
    names = ("id", "ordinal", "custom_id", "question", "state", "result", "error", "finished")
    query = (
        select(*[items.c[n] for n in names])
        .where(items.c.job_id == job_id, items.c.ordinal > after, items.c.state.in_(states))
        .order_by(items.c.ordinal)
        .limit(limit)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def fresh_results(
    connection: Connection, job_id: str, since: tuple[float, int], limit: int
) -> list[dict[str, Any]]:
    """Ended items in the order in which they ended, those after (finished, id)."""
    names = ("id", "ordinal", "custom_id", "question", "state", "result", "error", "finished")
    later = (items.c.finished > since[0]) | (
        (items.c.finished == since[0]) & (items.c.id > since[1])
    )
    ended = items.c.state.in_(TERMINAL) & items.c.finished.is_not(None)
    query = (
        select(*[items.c[n] for n in names])
        .where(items.c.job_id == job_id, ended, later)
        .order_by(items.c.finished, items.c.id)
        .limit(limit)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def reasons(connection: Connection, job_id: str, count: int = 5) -> list[tuple[str, int]]:
    """The most frequent messages of failed items, with how often."""
    failed = (items.c.job_id == job_id) & items.c.state.in_(AGAIN)
    found: dict[str, int] = {}
    for error in connection.scalars(select(items.c.error).where(failed)):
        message = str(error.get("message", "")) if isinstance(error, dict) else str(error)
        found[message] = found.get(message, 0) + 1
    return sorted(found.items(), key=lambda pair: -pair[1])[:count]


def pause(connection: Connection, job_id: str, reason: str) -> bool:
    """Stop taking its items; what is being worked on ends."""
    mine = (jobs.c.id == job_id) & (jobs.c.state == "running")
    values = {"state": "paused", "reason": reason}
    return connection.execute(update(jobs).where(mine).values(**values)).rowcount == 1


def resume(connection: Connection, job_id: str) -> bool:
    """Let a paused job go on."""
    mine = (jobs.c.id == job_id) & (jobs.c.state == "paused")
    values = {"state": "running", "reason": None}
    return connection.execute(update(jobs).where(mine).values(**values)).rowcount == 1


def cancel(connection: Connection, job_id: str) -> int:
    """End the job: nothing new is taken. Gives how many waiting items were cancelled."""
    mine = (jobs.c.id == job_id) & jobs.c.state.not_in(ENDED)
    values = {"state": "cancelled", "finished": time.time()}
    connection.execute(update(jobs).where(mine).values(**values))
    waiting = (items.c.job_id == job_id) & (items.c.state == "pending")
    ended = {"state": "cancelled", "finished": time.time()}
    return connection.execute(update(items).where(waiting).values(**ended)).rowcount


def reopen(connection: Connection, job_id: str) -> None:
    """Make an ended job run again: some of its items are pending again."""
    mine = (jobs.c.id == job_id) & jobs.c.state.in_(ENDED)
    values = {"state": "running", "finished": None, "reason": None}
    connection.execute(update(jobs).where(mine).values(**values))


def unfinished(connection: Connection) -> bool:
    """Whether the dispatcher has anything to do: a running job, or a cancelled one at work."""
    at_work = (items.c.job_id == jobs.c.id) & items.c.state.in_(OPEN)
    leaving = (jobs.c.state == "cancelled") & select(items.c.id).where(at_work).exists()
    query = select(jobs.c.id).where(running_job() | (jobs.c.kind.in_(KINDS) & leaving)).limit(1)
    return connection.execute(query).first() is not None


def finished(connection: Connection) -> list[str]:
    """Running jobs whose items have all ended."""
    open_item = (items.c.job_id == jobs.c.id) & items.c.state.in_(OPEN)
    over = select(jobs.c.id).where(running_job(), ~select(items.c.id).where(open_item).exists())
    return list(connection.scalars(over))


def close_finished(connection: Connection) -> list[str]:
    """End the running jobs whose items have all ended; note webhooks. Gives their ids."""
    closed = finished(connection)
    for job_id in closed:
        failed = (items.c.job_id == job_id) & items.c.state.in_((*AGAIN, "cancelled"))
        bad = connection.execute(select(items.c.id).where(failed).limit(1)).first()
        state = "completed_with_errors" if bad else "completed"
        values = {"state": state, "finished": time.time()}
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(**values))
        _announce(connection, job_id, f"job.{state}")
    return closed


def _announce(connection: Connection, job_id: str, event: str) -> None:
    hook = connection.scalar(select(jobs.c.webhook).where(jobs.c.id == job_id))
    if hook:
        connection.execute(insert(deliveries).values(
            id=f"msg_{secrets.token_hex(12)}", job_id=job_id, event=event, state="pending",
            not_before=time.time(), created=time.time(),
        ))  # fmt: skip


def forget_before(connection: Connection, moment: float) -> int:
    """Drop questions and answers of jobs that ended before; counts and money stay."""
    old = select(jobs.c.id).where(jobs.c.state.in_(ENDED), jobs.c.finished < moment)
    gone = items.c.job_id.in_(old) & (items.c.state != "forgotten")
    values: dict[str, object] = {"state": "forgotten", "question": {}}
    values |= {"result": None, "error": None}
    labels.forget(connection, select(items.c.id).where(gone))
    return connection.execute(update(items).where(gone).values(**values)).rowcount


def lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Results as batch lines: the stored line, or one that says why there is none."""
    for row in rows:
        if isinstance(row["result"], dict):
            yield dict(row["result"])
            continue
        error = row["error"] or {"type": "failed", "code": row["state"], "message": row["state"]}
        yield {"custom_id": row["custom_id"], "status": "failed", "answer": None, "citations": [],
               "support": None, "receipt": None, "error": error}  # fmt: skip
