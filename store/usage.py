"""What was spent: sums of the ledger by day, model, key or job.

Rows count as they do in a receipt, so sums over jobs equal the sums of their receipts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import BigInteger, Connection, case, cast, func, or_, select

from store.ledger_sums import LOST, PAID
from store.schema import items, jobs, ledger

By = Literal["day", "model", "key", "job"]
WAYS: tuple[str, ...] = get_args(By)
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Usage:
    """One line. `cost_usd` is what is known; `unpriced_calls` have no known price; the outcome
    of `unknown_calls` (in flight, or cut off by a crash) is not known: at most `unknown_usd`.
    """

    group: str
    llm_calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    unpriced_calls: int
    unknown_calls: int
    unknown_usd: float


def sums(
    connection: Connection, by: By, *, tenant: str | None = None,
    since: float | None = None, until: float | None = None,
) -> list[Usage]:  # fmt: skip
    """One line a group, in its order; `tenant` None: everybody's. Times: [since, until)."""
    group = _group(by)
    query = select(
        group, _sum((PAID | LOST, 1)), _sum((PAID, ledger.c.prompt_tokens)),
        _sum((PAID, ledger.c.completion_tokens)), _sum((PAID, ledger.c.cost_usd)),
        _sum((PAID & ledger.c.cost_usd.is_(None), 1)), _sum((LOST, 1)),
        _sum((LOST, ledger.c.reserved_usd)),
    ).where(or_(PAID, LOST))  # fmt: skip
    if tenant is not None:
        query = query.where(ledger.c.tenant == tenant)
    if since is not None:
        query = query.where(ledger.c.created >= since)
    if until is not None:
        query = query.where(ledger.c.created < until)
    rows = connection.execute(query.group_by(group).order_by(group)).all()
    return [_usage(by, *row) for row in rows]


def _sum(when: tuple[Any, Any]) -> Any:
    return func.coalesce(func.sum(case(when, else_=0)), 0)


def _group(by: By) -> Any:
    if by == "day":
        return cast(ledger.c.created, BigInteger) // _DAY
    return {"model": ledger.c.model, "key": ledger.c.key_id, "job": ledger.c.job_id}[by]


def _usage(by: By, group: Any, *numbers: Any) -> Usage:
    calls, prompt, completion, usd, unpriced, unknown, unknown_usd = numbers
    if by == "day":
        name = time.strftime("%Y-%m-%d", time.gmtime(int(group) * _DAY))
    else:
        name = "" if group is None else str(group)
    return Usage(
        name, int(calls), int(prompt), int(completion), round(float(usd), 12),
        int(unpriced), int(unknown), round(float(unknown_usd), 12),
    )  # fmt: skip


def items_by_state(connection: Connection) -> dict[str, int]:
    """state -> how many items there are."""
    query = select(items.c.state, func.count().label("n")).group_by(items.c.state)
    return {row.state: row.n for row in connection.execute(query)}


def jobs_by_state(connection: Connection) -> dict[str, int]:
    """state -> how many jobs there are."""
    query = select(jobs.c.state, func.count().label("n")).group_by(jobs.c.state)
    return {row.state: row.n for row in connection.execute(query)}
