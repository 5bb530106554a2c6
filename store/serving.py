"""What the HTTP interface reads beside submissions.py: items by page, money of jobs, collections.

Also what it writes when it accepts a job: lines that were refused, ids that are rung at once.
Not here: sums over time (usage.py), webhooks (hooks.py).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, or_, select, update

from store.items import TERMINAL
from store.keys import SEPARATOR
from store.ledger_sums import LOST, PAID
from store.schema import collections, documents, items, jobs, ledger, passages, tables


@dataclass(frozen=True, slots=True)
class Money:
    """What a job's calls cost. `cost_usd` None: some price or outcome is unknown."""

    llm_calls: int = 0
    cost_usd: float | None = 0.0
    unknown_calls: int = 0
    unknown_usd: float | None = 0.0


def item_ids(connection: Connection, job_id: str) -> list[int]:
    """Ids of a job's items, in order."""
    query = select(items.c.id).where(items.c.job_id == job_id).order_by(items.c.ordinal)
    return list(connection.scalars(query))


def fail(connection: Connection, job_id: str, lines: Mapping[int, Mapping[str, Any]]) -> None:
    """End the items of these ordinals as failed with these lines: they were never asked."""
    for ordinal, line in lines.items():
        mine = (items.c.job_id == job_id) & (items.c.ordinal == ordinal)
        values = {"state": "failed", "result": dict(line), "error": line["error"]}
        connection.execute(update(items).where(mine).values(**values, finished=time.time()))


def touch(connection: Connection, job_id: str) -> None:
    """Write a job as it is."""
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(total=jobs.c.total))


def settled(connection: Connection, item_ids: Sequence[int]) -> list[int]:
    """Those of the items for which waiting is in vain: ended, or their job rests."""
    resting = items.c.job_id.in_(select(jobs.c.id).where(jobs.c.state != "running"))
    over = or_(items.c.state.in_(TERMINAL), resting)
    return list(connection.scalars(select(items.c.id).where(items.c.id.in_(item_ids), over)))


def job_ids(
    connection: Connection, tenant: str, limit: int, after: str | None, singles: bool
) -> list[str]:
    """Newest first; those submitted before the job `after`. `singles`: also one-question jobs."""
    query = select(jobs.c.id).where(jobs.c.tenant == tenant, jobs.c.kind.in_(("answer", "index")))
    if not singles:
        single = jobs.c.notes["single"].as_boolean()
        query = query.where(or_(single.is_(None), single.is_(False)))
    if after is not None:
        last = select(jobs.c.created).where(jobs.c.id == after).scalar_subquery()
        earlier = (jobs.c.created == last) & (jobs.c.id < after)
        query = query.where(or_(jobs.c.created < last, earlier))
    query = query.order_by(jobs.c.created.desc(), jobs.c.id.desc()).limit(limit)
    return list(connection.scalars(query))


def webhook(connection: Connection, job_id: str) -> Mapping[str, Any]:
    """The job's webhook with its secret; empty when there is none."""
    return connection.scalar(select(jobs.c.webhook).where(jobs.c.id == job_id)) or {}


def items_page(
    connection: Connection, job_id: str, after: int, limit: int, states: Sequence[str]
) -> list[dict[str, Any]]:
    """Items by ordinal, those after `after`; all states when `states` is empty."""
    names = ("ordinal", "custom_id", "question", "state", "attempts", "error", "finished")
    query = select(*[items.c[n] for n in names]).where(
        items.c.job_id == job_id, items.c.ordinal > after
    )
    if states:
        query = query.where(items.c.state.in_(states))
    query = query.order_by(items.c.ordinal).limit(limit)
    return [dict(row._mapping) for row in connection.execute(query)]


def money(connection: Connection, ids: Sequence[str]) -> dict[str, Money]:
    """What the calls of each job cost, as the ledger says; jobs without calls are left out."""
    unpriced = or_(PAID & ledger.c.cost_usd.is_(None), LOST)
    query = (
        select(
            ledger.c.job_id,
            _count(or_(PAID, LOST)),
            func.sum(case((PAID, ledger.c.cost_usd), else_=0.0)),
            _count(unpriced),
            _count(LOST),
            func.sum(case((LOST, ledger.c.reserved_usd), else_=0.0)),
            _count(LOST & ledger.c.reserved_usd.is_(None)),
        )
        .where(ledger.c.job_id.in_(ids))
        .group_by(ledger.c.job_id)
    )
    found: dict[str, Money] = {}
    for job, calls, usd, unknown, lost, lost_usd, lost_unpriced in connection.execute(query):
        cost = None if unknown else round(float(usd or 0.0), 12)
        risk = None if lost_unpriced else round(float(lost_usd or 0.0), 12)
        found[job] = Money(int(calls), cost, int(lost), risk)
    return found


def _count(condition: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def collections_of(connection: Connection, tenant: str) -> list[dict[str, Any]]:
    """name, documents, passages, created of the tenant's collections, by name."""
    c = collections.c
    query = select(
        c.name, c.created,
        _of(documents.c.collection_id, documents).label("documents"),
        _of(passages.c.collection_id, passages).label("passages"),
    ).where(_belongs(tenant)).order_by(c.name)  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(query)]


def _of(column: Any, table: Any) -> Any:
    counted = select(func.count()).select_from(table).where(column == collections.c.id)
    return counted.correlate(collections).scalar_subquery()


def _belongs(tenant: str) -> ColumnElement[bool]:
    name = collections.c.name
    if tenant:
        return name.startswith(tenant + SEPARATOR, autoescape=True)
    return ~name.contains(SEPARATOR, autoescape=True)


def collection_id(connection: Connection, stored: str) -> int | None:
    """The collection of that stored name; None when there is none."""
    return connection.scalar(select(collections.c.id).where(collections.c.name == stored))


def documents_page(
    connection: Connection, collection: int, after: int, limit: int
) -> list[dict[str, Any]]:
    """Documents as store.documents.listing gives them, and `row` to go on after."""
    d = documents.c
    count = select(func.count()).where(passages.c.document_id == d.id).scalar_subquery()
    sheets = select(func.count()).where(tables.c.document_id == d.id).scalar_subquery()
    query = select(
        d.id.label("row"), d.key.label("id"), d.title, d.source, d.media_type,
        func.length(d.text).label("characters"), count.label("passages"), sheets.label("tables"),
        d.metadata, d.warnings, d.added,
    ).where(d.collection_id == collection, d.id > after).order_by(d.id).limit(limit)  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(query)]


def document_keys(connection: Connection, collection: int) -> list[str]:
    """Ids of all documents of a collection."""
    return list(
        connection.scalars(select(documents.c.key).where(documents.c.collection_id == collection))
    )
