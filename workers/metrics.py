"""The service's figures in Prometheus' text format, read from the database when asked for.

Counts of everybody together: no tenant, collection or model name of a user is a label, except
the configured models'. Not here: what they mean for the protocol (docs/service.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from store import hooks, items, ringing, usage
from store.database import Database

Sample = tuple[Mapping[str, str], float]
STATES = ("pending", "leased", *items.TERMINAL)
_DEAD = "Items that were given up after three attempts"


def exposition(database: Database, requests: Mapping[str, int]) -> str:
    """The whole page. `requests`: answers of this process by class of status."""
    with database.read() as connection:
        by_state = usage.items_by_state(connection)
        jobs = usage.jobs_by_state(connection)
        held = ringing.outstanding(connection)
        oldest = items.oldest_pending(connection)
        spent = usage.sums(connection, "model")
        told = hooks.by_state(connection)
    age = 0.0 if oldest is None else max(0.0, time.time() - oldest)
    unknown = sum(row.unknown_calls for row in spent)
    families = [
        _family("items", "gauge", "Items by state", _by("state", _all(STATES, by_state))),
        _family("dead_items", "gauge", _DEAD, [({}, by_state.get("dead", 0))]),
        _family("jobs", "gauge", "Jobs by state", _by("state", jobs)),
        _family("queue_window", "gauge", "Ids in the queue that nobody took", [({}, held.waiting)]),
        _family("items_at_work", "gauge", "Items that a worker holds", [({}, held.working)]),
        _family("oldest_pending_seconds", "gauge", "Age of the oldest waiting job", [({}, age)]),
        _family("llm_calls_total", "counter", "Calls that were or may have been paid",
                [({"model": row.group}, row.llm_calls) for row in spent]),
        _family("llm_cost_usd_total", "counter", "Dollars by the ledger",
                [({"model": row.group}, row.cost_usd) for row in spent]),
        _family("llm_tokens_total", "counter", "Tokens by the ledger", [
            ({"model": row.group, "kind": kind}, number) for row in spent
            for kind, number in (("prompt", row.prompt_tokens),
                                 ("completion", row.completion_tokens))]),
        _family("llm_unknown_calls", "gauge", "Calls of unknown outcome", [({}, unknown)]),
        _family("llm_possible_duplicate_usd", "gauge", "What those cost at most",
                [({}, sum(row.unknown_usd for row in spent))]),
        _family("webhooks", "gauge", "Webhook messages by state", _by("state", told)),
        _family("http_requests_total", "counter", "Answers of this process",
                _by("status", requests)),
    ]  # fmt: skip
    return "".join(families)


def _all(names: Iterable[str], counts: Mapping[str, int]) -> dict[str, int]:
    """Every name, also those of none: a gauge that vanishes looks like an outage."""
    return {name: counts.get(name, 0) for name in names} | dict(counts)


def _by(label: str, counts: Mapping[str, int]) -> list[Sample]:
    return [({label: name}, count) for name, count in sorted(counts.items())]


def _family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> str:
    full = f"pilotfish_{name}"
    lines = [f"# HELP {full} {text}.", f"# TYPE {full} {kind}"]
    lines += [f"{full}{_labels(labels)} {value:.12g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
