"""The tables of work: jobs, items, the ledger, and what the service keeps beside them.

Times are seconds since the epoch. Not here: what is answered from (content_schema.py).
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Index, Integer, Table, Text, UniqueConstraint

from store.content_schema import metadata, parent

# One job is many items; `kind` is answer or index. `tenant` is whose it is ("" in local use).
# The same idempotency key with the same body is the same job; with another body it is refused.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("collection_id", Integer, parent("collections.id"), nullable=False),
    Column("recipe", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("kind", Text, nullable=False, server_default="answer"),
    Column("tenant", Text, nullable=False, server_default=""),
    Column("key_id", Text),
    Column("idempotency_key", Text),
    Column("body_sha256", Text),
    Column("reason", Text),
    Column("webhook", JSON),
    Column("notes", JSON),
    Column("finished", Float),
    Index(None, "tenant", "created"),
    Index(None, "state"),
    Index(None, "tenant", "idempotency_key", unique=True),
)

# `fence` counts claims: a later claim makes an earlier worker's writes void. `rung`: when the
# item's id was last put into the queue.
items = Table(
    "items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", Text, parent("jobs.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("custom_id", Text, nullable=False),
    Column("question", JSON, nullable=False),
    Column("state", Text, nullable=False, default="pending"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("owner", Text),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", Float),
    Column("not_before", Float),
    Column("error", JSON),
    Column("result", JSON),
    Column("finished", Float),
    Column("rung", Float),
    UniqueConstraint("job_id", "ordinal"),
    UniqueConstraint("job_id", "custom_id"),
    Index(None, "job_id", "state"),
    Index(None, "state", "lease_until"),
    Index(None, "state", "rung"),
    sqlite_autoincrement=True,
)

# What somebody said of an answer; `features` name what it was and hold no text, `answer` is the
# right one in words and goes when the item's text goes. `support` is the judge's own.
labels = Table(
    "labels",
    metadata,
    Column("item_id", Integer, parent("items.id"), primary_key=True),
    Column("collection_id", Integer, parent("collections.id"), nullable=False),
    Column("recipe", Text, nullable=False),
    Column("judge", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("support", Float, nullable=False),
    Column("features", JSON, nullable=False),
    Column("was_right", Integer, nullable=False),
    Column("answer", Text),
    Column("created", Float, nullable=False),
    Index(None, "collection_id", "recipe"),
)

# What support is worth in a collection, by recipe and judge; `body` is verifiers/calibration.py's.
calibrations = Table(
    "calibrations",
    metadata,
    Column("collection_id", Integer, parent("collections.id"), primary_key=True),
    Column("recipe", Text, primary_key=True),
    Column("judge", Text, primary_key=True),
    Column("labels", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created", Float, nullable=False),
)

# One row per HTTP attempt. The prompt is kept as a hash only; `reply` is the raw body.
ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("item_id", Integer),
    Column("model", Text, nullable=False),
    Column("api_base", Text),
    Column("reserved_usd", Float),
    Column("prompt_tokens", Integer, nullable=False, default=0),
    Column("completion_tokens", Integer, nullable=False, default=0),
    Column("usage", JSON),
    Column("cost_usd", Float),
    Column("cost_source", Text),
    Column("reply", Text),
    Column("error", Text),
    Column("created", Float, nullable=False),
    Column("sent", Float),
    Column("finished", Float),
    Column("tenant", Text, nullable=False, server_default=""),
    Column("job_id", Text),
    Column("key_id", Text),
    Column("reserved_tokens", Integer),
    UniqueConstraint("key", "attempt"),
    Index(None, "item_id"),
    Index(None, "job_id"),
    Index(None, "key_id", "created"),
    sqlite_autoincrement=True,
)

# What may be spent: `scope` is job:ID or key:ID. `spent_*` counts settled calls, `held_*` those
# reserved or of unknown outcome; a call is refused when both and its own do not fit `limit_*`.
budgets = Table(
    "budgets",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("limit_usd", Float),
    Column("limit_tokens", Integer),
    Column("spent_usd", Float, nullable=False, default=0.0),
    Column("spent_tokens", Integer, nullable=False, default=0),
    Column("held_usd", Float, nullable=False, default=0.0),
    Column("held_tokens", Integer, nullable=False, default=0),
)

# Bearer keys, hashed. A tenant may hold several at once: that is how keys are rotated.
keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sha256", Text, nullable=False, unique=True),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("admin", Integer, nullable=False, default=0),
    Column("created", Float, nullable=False),
    Column("expires", Float),
    Column("requests_per_minute", Integer),
    Column("concurrency", Integer),
)

# How fast a model may be called, shared by all workers; `factor` shrinks on 429, `failures`
# counts those in a row, until `blocked_until` nobody calls it, for `reason`.
rates = Table(
    "rates",
    metadata,
    Column("model", Text, primary_key=True),
    Column("minute", Float, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("factor", Float, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("blocked_until", Float),
    Column("reason", Text),
)

# Who may do what only one may do at a time (the dispatcher).
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", Float, nullable=False),
)

# Uploaded files and finished outputs; the bytes lie in the workspace under the id.
files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("created", Float, nullable=False),
    Index(None, "tenant", "created"),
)

# Webhooks that are to be delivered (Standard Webhooks); thin: the receiver asks for the rest.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("job_id", Text, parent("jobs.id"), nullable=False),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("not_before", Float, nullable=False),
    Column("error", Text),
    Column("created", Float, nullable=False),
    Index(None, "state", "not_before"),
)
