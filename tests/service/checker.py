"""Judges the promise from the database and the LLM server's counts, after a run.

    every accepted item reaches exactly one terminal row; a crash may repeat at most the LLM
    calls that were in flight, counted and shown, or none with `hold`

It reads with statements of its own, so that a wrong statement of the store's cannot hide
itself, and writes nothing. Not here: making faults (fleet.py).
"""

from __future__ import annotations

import functools
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, and_, create_engine, select, true
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from store.schema import budgets, items, jobs, ledger

TERMINAL = ("answered", "abstained", "failed", "dead", "unknown", "cancelled", "forgotten")
WITH_RESULT = ("answered", "abstained", "failed")
OPEN_ROWS = ("reserved", "sent")  # of the ledger
NOTHING: Mapping[str, Any] = {"requests": 0, "per_key": {}, "paid": {}}
CENT = 1e-9
AWAY_SECONDS = 20.0

Rows = Sequence[RowMapping]


@dataclass(slots=True)
class Report:
    """`problems` is empty when the promise was kept; `figures` are for people."""

    problems: list[str] = field(default_factory=list)
    figures: dict[str, int | float] = field(default_factory=dict)

    def find(self, name: str, found: Sequence[object], text: str) -> None:
        """Count `found` under `name`; any of it is a problem."""
        self.figures[name] = len(found)
        if found:
            self.problems.append(f"{len(found)} {text}: {', '.join(map(str, found[:5]))}")


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that is judged, read in one snapshot."""

    jobs: Rows
    items: Rows
    ledger: Rows
    budgets: Rows
    others: frozenset[str] = frozenset()  # keys that only jobs which are not judged asked for


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    """A connection that can only read; `url` is postgresql://... or a SQLite file's path.

    A Postgres that is being started again is waited for.
    """
    engine = _engine(url)
    with _connected(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        yield connection


@functools.cache
def _engine(url: str) -> Engine:
    """Made once, for tests look many times a second; it keeps no connection."""
    if url.startswith("postgresql"):
        return create_engine("postgresql+psycopg" + url[url.index("://") :], poolclass=NullPool)
    path = Path(url).resolve()
    return create_engine(f"sqlite:///file:{path}?mode=ro&uri=true", poolclass=NullPool)


def _connected(engine: Engine) -> Connection:
    until = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return engine.connect()
        except OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def read(url: str, job_ids: Sequence[str] = ()) -> Found:
    """The rows of these jobs, or of all; `others` tells them from calls that nobody announced."""
    with opened(url) as connection:
        mine = and_(
            jobs.c.kind.in_(("answer", "index")), jobs.c.id.in_(job_ids) if job_ids else true()
        )
        wanted = select(jobs.c.id).where(mine)
        calls = connection.execute(select(ledger).order_by(ledger.c.id)).mappings().all()
        judged = [row for row in calls if not job_ids or row["job_id"] in job_ids]
        held = connection.execute(select(budgets)).mappings().all()
        scopes = {f"job:{job_id}" for job_id in job_ids}
        return Found(
            connection.execute(select(jobs).where(mine)).mappings().all(),
            connection.execute(select(items).where(items.c.job_id.in_(wanted))).mappings().all(),
            judged,
            [row for row in held if not job_ids or row["scope"] in scopes],
            frozenset(row["key"] for row in calls) - {row["key"] for row in judged},
        )


def check(
    url: str,
    counts: Mapping[str, Any] = NOTHING,
    *,
    kills: int = 0,
    in_flight: int = 0,
    job_ids: Sequence[str] = (),
) -> Report:
    """Judge a finished run: `kills` of workers, each with up to `in_flight` calls at work."""
    found, report = read(url, job_ids), Report()
    rows_of_item: dict[int, list[RowMapping]] = defaultdict(list)
    for row in found.ledger:
        if row["item_id"] is not None:
            rows_of_item[row["item_id"]].append(row)
    _lost(found, report)
    _doubled(found, report)
    asked = {name: _of_these(counts[name], found) for name in ("paid", "per_key")}
    counts = {**counts, **asked}
    _repeated(found, report, counts, kills * in_flight)
    _receipts(found, report, rows_of_item)
    _budgets(found, report)
    _held(found, report, counts, rows_of_item)
    return report


def _of_these(counted: Mapping[str, int], found: Found) -> dict[str, int]:
    return {key: count for key, count in counted.items() if key not in found.others}


def _lost(found: Found, report: Report) -> None:
    """Accepted, and not in exactly one terminal row."""
    states = Counter(row["state"] for row in found.items)
    report.figures |= {f"items_{state}": count for state, count in sorted(states.items())}
    report.figures["items"] = len(found.items)
    open_items = [f"{r['id']} ({r['state']})" for r in found.items if r["state"] not in TERMINAL]
    report.find("lost", open_items, "items are not terminal")
    ordinals: dict[str, list[int]] = defaultdict(list)
    for row in found.items:
        ordinals[row["job_id"]].append(row["ordinal"])
    missing = [
        job["id"] for job in found.jobs if set(ordinals[job["id"]]) != set(range(job["total"]))
    ]
    report.find("jobs_short", missing, "jobs lack items that they accepted")
    unended = [
        f"{job['id']} ({job['state']})" for job in found.jobs
        if job["state"] not in ("completed", "completed_with_errors", "cancelled")
    ]  # fmt: skip
    report.find("jobs_open", unended, "jobs have not ended")


def _doubled(found: Found, report: Report) -> None:
    """Two rows for one question, or a row that holds another's result."""
    seen = Counter((row["job_id"], row["ordinal"]) for row in found.items)
    named = Counter((row["job_id"], row["custom_id"]) for row in found.items)
    twice = [key for each in (seen, named) for key, count in each.items() if count > 1]
    report.find("doubled", twice, "items have two rows")
    without, others = [], []
    for row in found.items:
        line = row["result"]
        if row["state"] in WITH_RESULT and not isinstance(line, dict):
            without.append(row["id"])
        elif isinstance(line, dict) and row["state"] in WITH_RESULT:
            same = line.get("custom_id") == row["custom_id"] and line.get("status") == row["state"]
            others += [] if same else [row["id"]]
    report.find("without_result", without, "ended items have no result")
    report.find("others_result", others, "items hold a result that is not theirs")


def _repeated(found: Found, report: Report, counts: Mapping[str, Any], bound: int) -> None:
    """What a provider was asked again although it may have been paid before."""
    paid: Mapping[str, int] = counts["paid"]
    repeated = sum(count - 1 for count in paid.values() if count > 1)
    report.figures |= {"repeated": repeated, "repeated_bound": bound}
    report.figures["requests"] = int(counts["requests"])
    if repeated > bound:
        report.problems.append(f"{repeated} LLM calls were repeated, over the bound of {bound}")
    rows: dict[str, list[RowMapping]] = defaultdict(list)
    for row in found.ledger:
        rows[row["key"]].append(row)
    asked: Mapping[str, int] = counts["per_key"]
    unwritten = [key for key, count in asked.items() if count > len(rows[key])]
    report.find("uncounted", unwritten, "keys were asked more often than the ledger says")
    twice = [key for key, of in rows.items() if sum(r["state"] == "done" for r in of) > 1]
    report.find("paid_twice", twice, "keys were answered and paid twice")
    unknown = [row for row in found.ledger if row["state"] in ("unknown", "sent")]
    shown = sum(row["state"] != "done" for of in rows.values() for row in of)
    report.figures |= {"unknown_rows": len(unknown), "open_rows": _open(found)}
    if repeated > shown:
        report.problems.append(f"{repeated} calls were repeated, the ledger shows {shown}")


def _open(found: Found) -> int:
    """Rows that a killed process left in flight; nobody asked for their key again."""
    return sum(row["state"] in OPEN_ROWS for row in found.ledger)


def _receipts(
    found: Found, report: Report, rows_of_item: Mapping[int, Sequence[RowMapping]]
) -> None:
    """Each receipt says what the ledger's rows of its item add up to."""
    wrong = []
    for item in found.items:
        paid = item["result"].get("receipt") if isinstance(item["result"], dict) else None
        if paid is None or item["state"] not in WITH_RESULT:
            continue
        calls, prompt, completion, usd = _sum(rows_of_item.get(item["id"], ()))
        same = (calls, prompt, completion) == (
            paid["llm_calls"], paid["prompt_tokens"], paid["completion_tokens"],
        )  # fmt: skip
        if not same or not _equal(usd, paid["cost_usd"]):
            told = (paid["llm_calls"], paid["prompt_tokens"], paid["cost_usd"])
            wrong.append(f"item {item['id']}: says {told}, ledger {(calls, prompt, usd)}")
    report.find("receipts_wrong", wrong, "receipts do not add up to the ledger")
    costs = [row["cost_usd"] for row in found.ledger if row["cost_usd"] is not None]
    report.figures["ledger_usd"] = round(sum(costs), 9)


def _sum(rows: Sequence[RowMapping]) -> tuple[int, int, int, float | None]:
    """(calls that were or may have been paid, tokens in, tokens out, USD or None)."""
    paid = [row for row in rows if row["state"] == "done" or row["cost_source"] is not None]
    lost = [row for row in rows if row["state"] in ("unknown", "sent") and row not in paid]
    answered = {row["key"] for row in paid}
    unknown = any(row["cost_usd"] is None for row in paid)
    unknown = unknown or any(row["key"] not in answered for row in lost)
    usd = None if unknown else sum(row["cost_usd"] for row in paid)
    prompt = sum(row["prompt_tokens"] for row in paid)
    return len(paid) + len(lost), prompt, sum(row["completion_tokens"] for row in paid), usd


def _budgets(found: Found, report: Report) -> None:
    """What a budget says was spent and is held is what the ledger's rows say; no limit broken."""
    wrong, over = [], []
    for budget in found.budgets:
        kind, _, name = budget["scope"].partition(":")
        column = {"job": "job_id", "key": "key_id"}.get(kind)
        rows = [row for row in found.ledger if column and row[column] == name]
        usd = sum(row["cost_usd"] or 0.0 for row in rows)
        tokens = sum(row["prompt_tokens"] + row["completion_tokens"] for row in rows)
        held = sum(row["reserved_usd"] or 0.0 for row in rows if _holds(row))
        if not _equal(usd, budget["spent_usd"]) or tokens != budget["spent_tokens"]:
            wrong.append(f"{budget['scope']} says ${budget['spent_usd']:.6f}, ledger ${usd:.6f}")
        if not _equal(held, budget["held_usd"]):
            wrong.append(f"{budget['scope']} holds ${budget['held_usd']:.6f}, ledger ${held:.6f}")
        limit, most = budget["limit_usd"], budget["limit_tokens"]
        if (limit is not None and usd + held > limit + CENT) or (most and tokens > most):
            over.append(budget["scope"])
    report.find("budgets_wrong", wrong, "budgets do not add up to the ledger")
    report.find("budgets_over", over, "budgets were overspent")


def _holds(row: RowMapping) -> bool:
    """Whether a budget must keep back what the row reserved: nobody knows if it was paid."""
    return row["state"] in ("reserved", "sent", "unknown") and row["cost_source"] is None


def _held(
    found: Found,
    report: Report,
    counts: Mapping[str, Any],
    rows_of_item: Mapping[int, Sequence[RowMapping]],
) -> None:
    """With `hold` no key is asked again, and each item that may have been paid is `unknown`."""
    holding = {j["id"] for j in found.jobs if j["parameters"].get("on_unknown") == "hold"}
    mine = [item for item in found.items if item["job_id"] in holding]
    keys = {row["key"] for item in mine for row in rows_of_item.get(item["id"], ())}
    again = [key for key in sorted(keys) if counts["paid"].get(key, 0) > 1]
    report.find("hold_repeated", again, "keys of jobs that hold were asked again")
    silent = []
    for item in mine:
        rows = rows_of_item.get(item["id"], ())
        answered = {row["key"] for row in rows if row["state"] == "done"}
        lost = any(r["state"] in ("unknown", "sent") and r["key"] not in answered for r in rows)
        if lost and item["state"] in ("answered", "abstained"):
            silent.append(item["id"])
    report.find("hold_silent", silent, "items ended as if nothing were unknown")


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= CENT
