"""Rows as the service shows them: jobs, items, lines, pages of a list. docs/service.md names them.

Nothing of the inside gets out: no stored names, tenants, owners or fences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from store import budgets, serving, submissions
from store.keys import shown_name
from store.submissions import Job


def job_shown(connection: Any, job: Job, tenant: str, secret: bool = False) -> dict[str, Any]:
    """A job with its counts, money and the most frequent reasons of failure."""
    paid = serving.money(connection, [job.id]).get(job.id, serving.Money())
    reasons = submissions.reasons(connection, job.id) if job.failed else []
    shown: dict[str, Any] = {
        "id": job.id, "kind": job.kind, "state": job.state, "name": job.notes.get("name"),
        "collection": shown_name(tenant, job.collection), "recipe": job.recipe,
        "total": job.total, "counts": dict(job.counts), "done": job.done, "failed": job.failed,
        "created": job.created, "finished": job.finished, "reason": job.reason,
        "reasons": [{"message": message, "count": count} for message, count in reasons],
        "cost_usd": paid.cost_usd, "llm_calls": paid.llm_calls,
        "possible_duplicates": {"calls": paid.unknown_calls, "usd": paid.unknown_usd},
        "budget": _budget(connection, job.id),
    }  # fmt: skip
    hook = serving.webhook(connection, job.id)
    if hook:
        shown["webhook_url"] = hook["url"]
        if secret:
            shown["webhook_secret"] = hook["secret"]
    return shown


def _budget(connection: Any, job_id: str) -> dict[str, Any] | None:
    found = budgets.of(connection, [f"job:{job_id}"])
    return {k: v for k, v in asdict(found[0]).items() if k != "scope"} if found else None


def item_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """An item without its result."""
    asked = row["question"]
    text = asked.get("question", asked.get("name"))
    kept = ("ordinal", "custom_id", "state", "attempts", "error", "finished")
    return {k: row[k] for k in kept} | {"question": text}


def line_shown(line: Mapping[str, Any], trace: bool) -> dict[str, Any]:
    """A result line, with the trace only where it is asked for."""
    return {k: v for k, v in line.items() if trace or k != "trace"}


def page(
    rows: Sequence[dict[str, Any]], limit: int, cursor: Callable[[dict[str, Any]], str]
) -> dict[str, Any]:
    """A page of a list out of up to `limit` + 1 rows."""
    kept, more = list(rows[:limit]), len(rows) > limit
    return {"data": kept, "has_more": more, "next_cursor": cursor(kept[-1]) if more else None}
