"""What somebody said of an answer: right or wrong, and which answer would have been right.

One label an item, the latest. Kept with what calibrating needs (the judge's own support, the
features by which answers are grouped); the words of a correction go when the item's text goes.
Not here: what is made of labels (calibrations.py).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select, update

from pilotfish.errors import InputError, NotFound
from store.schema import items, jobs, labels
from store.upsert import put as put_row

SHORTEST = 8  # characters of a job's id by which it may be named


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label as calibrating reads it."""

    support: float
    right: bool
    features: Mapping[str, str]


def item_of(connection: Connection, name: str, tenant: str | None) -> tuple[int, str]:
    """(item id, its whole name) of JOB/ORDINAL; JOB may be the beginning of a job's id.

    NotFound when there is none, or none of the tenant's (None: anybody's).
    """
    job, _, ordinal = name.strip().partition("/")
    number = ordinal or "0"
    if len(job) < SHORTEST or not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InputError(f"no item is called {name[:80]!r}: name it JOB/NUMBER, as in its line")
    query = (
        select(items.c.id, items.c.job_id)
        .join_from(items, jobs, jobs.c.id == items.c.job_id)
        .where(jobs.c.id.startswith(job, autoescape=True), items.c.ordinal == int(number))
    )
    if tenant is not None:
        query = query.where(jobs.c.tenant == tenant)
    found = connection.execute(query.limit(2)).all()
    if not found:
        raise NotFound(f"no item {name[:80]!r}: see the field 'item' of its line")
    if len(found) > 1:
        raise InputError(f"{name[:80]!r} is the beginning of several items: give more of it")
    return int(found[0].id), f"{found[0].job_id}/{number}"


def put(connection: Connection, item_id: int, right: bool, answer: str | None) -> None:
    """Label an answered item, in place of an earlier label; InputError when it has no answer."""
    query = (
        select(items.c.result, jobs.c.collection_id, jobs.c.recipe)
        .join_from(items, jobs, jobs.c.id == items.c.job_id)
        .where(items.c.id == item_id)
    )
    row = connection.execute(query).one()
    line: Any = row.result if isinstance(row.result, dict) else {}
    basis = line.get("basis")
    if line.get("status") != "answered" or not basis:
        raise InputError("that item has no answer to label: choose one that was answered")
    put_row(connection, labels, {
        "item_id": item_id, "collection_id": row.collection_id, "recipe": row.recipe,
        "judge": str(basis["judge"]), "model": str(line.get("model") or ""),
        "support": float(basis["judged"]), "features": dict(basis["features"]),
        "was_right": int(right), "answer": answer, "created": time.time(),
    })  # fmt: skip


def of(connection: Connection, collection_id: int, recipe: str, judge: str) -> list[Labelled]:
    """Labels of answers that this recipe gave by this judge."""
    mine = (labels.c.collection_id == collection_id) & (labels.c.recipe == recipe)
    query = select(labels.c.support, labels.c.was_right, labels.c.features).where(
        mine, labels.c.judge == judge
    )
    rows = connection.execute(query.order_by(labels.c.item_id))
    return [Labelled(row.support, bool(row.was_right), row.features) for row in rows]


def forget(connection: Connection, item_ids: Select[Any]) -> None:
    """Drop the words of these items' labels; whether they were right stays."""
    gone = labels.c.item_id.in_(item_ids) & labels.c.answer.is_not(None)
    connection.execute(update(labels).where(gone).values(answer=None))
