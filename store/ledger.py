"""The ledger: every HTTP attempt at the LLM is a row before its socket opens.

sent -> done | failed | unknown; the transaction that writes `sent` also reserves the money. A row
found `sent` whose owner is gone is `unknown`: it may have been paid. Replies are stored raw,
before anything parses them.
A reply that was paid and is of no use ends `failed`, keeps its bill and is never replayed.
Not here: the calling (pipeline/llm.py) and prices.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, bindparam, func, insert, select, update

from store.prepared import Prepared
from store.schema import ledger

WAIVED = "waived: send again"
# Made once: building a statement takes longer than running it.
_MINE = ledger.c.id == bindparam("b_id")
_DONE = select(ledger).where(
    ledger.c.key == bindparam("key"), ledger.c.state == "done", ledger.c.reply.is_not(None)
)
_ATTEMPTS = Prepared(select(func.count()).where(ledger.c.key == bindparam("key")))
_earlier = ledger.alias()
_LAST = select(func.coalesce(func.max(_earlier.c.attempt), 0)).where(
    _earlier.c.key == bindparam("key")
)
_FIELDS = ("key", "state", "owner", "item_id", "model", "api_base", "reserved_usd",
           "reserved_tokens", "created", "sent", "tenant", "job_id", "key_id")  # fmt: skip
_RESERVE = insert(ledger).values(
    {name: bindparam(name) for name in _FIELDS} | {"attempt": _LAST.scalar_subquery() + 1}
)
_RESERVED = Prepared(
    select(ledger.c.state, ledger.c.reserved_usd, ledger.c.reserved_tokens).where(_MINE)
)
_FINISHED = ("prompt_tokens", "completion_tokens", "cost_usd", "cost_source", "usage", "reply")
_MARK_DONE = (
    update(ledger)
    .where(_MINE)
    .values({name: bindparam(f"b_{name}") for name in (*_FINISHED, "finished")} | {"state": "done"})
)
_BILL = ("state", "key", "cost_source", "cost_usd", "prompt_tokens", "completion_tokens")
_BILLS = Prepared(
    select(*(ledger.c[name] for name in _BILL)).where(ledger.c.item_id == bindparam("item"))
)
STALE = 3600.0  # seconds after which a `sent` row is lost, though its owner seems to live


@dataclass(frozen=True, slots=True)
class Call:
    """What identifies a call: equal calls have equal keys and are paid once."""

    tenant: str
    api_base: str | None
    model: str
    messages: Sequence[Mapping[str, str]]
    parameters: Mapping[str, object]
    sample: int = 0
    key: str = field(init=False)  # sha256 over all fields, as canonical JSON

    def __post_init__(self) -> None:
        fields = [self.tenant, self.api_base, self.model, list(self.messages)]
        text = json.dumps([*fields, dict(self.parameters), self.sample], sort_keys=True)
        object.__setattr__(self, "key", hashlib.sha256(text.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Bill:
    """What an attempt used and cost. `cost_usd` None: the price is unknown."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    cost_source: str | None = None
    usage: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Spender:
    """In whose name is spent; `tenant` "" is local use."""

    tenant: str = ""
    item_id: int | None = None
    job_id: str | None = None
    key_id: str | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """The budgets that a call counts against (budgets.py)."""
        named = (("job", self.job_id), ("key", self.key_id))
        return tuple(f"{kind}:{name}" for kind, name in named if name is not None)


def owner() -> str:
    """This process, so that a later one can tell whether it is still alive."""
    return _named(os.getpid())


@functools.lru_cache(maxsize=1)  # a fork has another pid
def _named(pid: int) -> str:
    return f"{os.uname().nodename}:{pid}:{_born(pid)}"


def alive(name: str) -> bool:
    """Whether the process of that name still runs; one on another host counts as alive."""
    host, pid, born = name.rsplit(":", 2)
    return host != os.uname().nodename or _born(int(pid)) == born


def _born(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return "gone"


def find_reply(connection: Connection, key: str) -> tuple[int, str, Bill] | None:
    """(row id, raw reply, bill) of a call that was already paid."""
    row = connection.execute(_DONE, {"key": key}).first()
    if row is None:
        return None
    bill = Bill(row.prompt_tokens, row.completion_tokens, row.cost_usd, row.cost_source, row.usage)
    return row.id, row.reply, bill


def attempts(connection: Connection, key: str) -> int:
    """How often this call was tried, however that ended."""
    return int(_ATTEMPTS.scalar(connection, {"key": key}) or 0)


def settle_unknown(connection: Connection, key: str, item_id: int | None = None) -> tuple[int, int]:
    """(attempts whose outcome nobody knows, attempts in flight in a living process).

    An owner on another host counts as living (`alive`), but not beyond STALE: that host,
    or container, may never come back under its name. Another process that sent for `item_id`,
    which is in our hands now, has lost it.
    """
    rows = connection.execute(
        select(ledger.c.id, ledger.c.owner, ledger.c.sent, ledger.c.item_id)
        .where(ledger.c.key == key, ledger.c.state == "sent")
    ).all()  # fmt: skip
    oldest, mine = time.time() - STALE, owner()
    dead = [
        row.id
        for row in rows
        if not alive(row.owner) or (row.sent or 0.0) < oldest
        or (item_id is not None and row.item_id == item_id and row.owner != mine)
    ]  # fmt: skip
    if dead:
        connection.execute(
            update(ledger).where(ledger.c.id.in_(dead))
            .values(state="unknown", finished=time.time())
        )  # fmt: skip
    unknown = connection.scalar(
        select(func.count()).where(ledger.c.key == key, ledger.c.state == "unknown")
    )
    return int(unknown or 0), len(rows) - len(dead)


def withheld(connection: Connection, key: str) -> int:
    """Attempts of unknown outcome that nobody has waived: what `hold` waits for a person over."""
    unknown = (ledger.c.key == key) & (ledger.c.state == "unknown")
    waived = func.coalesce(ledger.c.error, "") == WAIVED
    return int(connection.scalar(select(func.count()).where(unknown, ~waived)) or 0)


def waive(connection: Connection, item_ids: Sequence[int]) -> None:
    """A person says: send again, whatever these items' unknown attempts may have cost."""
    mine = ledger.c.item_id.in_(item_ids) & (ledger.c.state == "unknown")
    connection.execute(update(ledger).where(mine).values(error=WAIVED))


def refusals(connection: Connection, item_id: int) -> int:
    """How often the provider has told an item that it asks too fast."""
    told = ledger.c.error.startswith("rate_limited")
    query = select(func.count()).where(ledger.c.item_id == item_id, told)
    return int(connection.scalar(query) or 0)


def reserve(
    connection: Connection, call: Call, spender: Spender, usd: float | None, tokens: int = 0
) -> int:
    """Write the next attempt as sent, at most so dear; give its row id.

    Commit this before the socket opens.
    """
    now = time.time()
    done = connection.execute(_RESERVE, {
        "key": call.key, "state": "sent", "owner": owner(), "item_id": spender.item_id,
        "model": call.model, "api_base": call.api_base, "reserved_usd": usd,
        "reserved_tokens": tokens, "created": now, "sent": now,
        "tenant": spender.tenant, "job_id": spender.job_id, "key_id": spender.key_id,
    })  # fmt: skip
    (row_id,) = done.inserted_primary_key or (0,)
    return int(row_id)


def reserved(connection: Connection, row_id: int) -> tuple[str, float | None, int]:
    """(state, USD, tokens) of a row: what a budget holds for it while it is out."""
    row = _RESERVED.first(connection, {"b_id": row_id})
    return str(row.state), row.reserved_usd, int(row.reserved_tokens or 0)


def mark_done(connection: Connection, row_id: int, reply: str, bill: Bill) -> None:
    """Commit the raw reply before it is parsed."""
    values = {"reply": reply, "finished": time.time(), **_money(bill)}
    named = {f"b_{name}": value for name, value in values.items()}
    connection.execute(_MARK_DONE, {"b_id": row_id, **named})


def mark_failed(
    connection: Connection, row_id: int, error: str, state: str = "failed", bill: Bill | None = None
) -> None:
    """The attempt gave nothing of use. `state` is 'unknown' when it may have been paid all the
    same; `bill` is what it cost. A reply and a bill that the row holds already stay.
    """
    connection.execute(
        update(ledger).where(ledger.c.id == row_id)
        .values(state=state, error=error, finished=time.time(), **(_money(bill) if bill else {}))
    )  # fmt: skip


def forget(connection: Connection, row_id: int) -> None:
    """Drop a reply's text; its money stays."""
    connection.execute(update(ledger).where(ledger.c.id == row_id).values(reply=None))


def at_risk(connection: Connection, key: str) -> tuple[int, float | None]:
    """(attempts at this call that may have been paid for nothing, what they cost at most).

    USD is None when any of them has no known price.
    """
    query = select(ledger.c.reserved_usd).where(ledger.c.key == key, ledger.c.state == "unknown")
    amounts = list(connection.scalars(query))
    return len(amounts), None if None in amounts else float(sum(amounts))


def spent(connection: Connection, item_id: int) -> tuple[int, Bill]:
    """(attempts that were or may have been paid, the sum of the bills), of use or not.

    Cost is None when any bill has no known price, or when the outcome of a call is unknown
    and no later attempt at it was answered. A row that is still `sent` was left by a killed run.
    """
    rows = _BILLS.all(connection, {"item": item_id})
    paid = [row for row in rows if row.state == "done" or row.cost_source is not None]
    lost = [r for r in rows if r.state in ("unknown", "sent") and r.cost_source is None]
    answered = {row.key for row in paid}
    unpriced = any(row.cost_usd is None for row in paid)
    unknown = unpriced or any(row.key not in answered for row in lost)
    return len(paid) + len(lost), Bill(
        sum(row.prompt_tokens for row in paid),
        sum(row.completion_tokens for row in paid),
        None if unknown else sum(row.cost_usd for row in paid),
    )


def _money(bill: Bill) -> dict[str, object]:
    names = ("prompt_tokens", "completion_tokens", "cost_usd", "cost_source")
    usage = dict(bill.usage) if bill.usage else None
    return {name: getattr(bill, name) for name in names} | {"usage": usage}
