"""The tables. Migrations (store/migrations) make them; a test proves that both agree.

Times are seconds since the epoch. Offsets are code points of documents.text.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _parent(column: str) -> ForeignKey:
    return ForeignKey(column, ondelete="CASCADE")


# `revision` counts changes of a collection: indexes remember the one they were built from, and
# `uid`, so that an index is never taken for that of another database at the same revision.
collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("revision", Integer, nullable=False, default=0),
    Column("encoder", Text, nullable=False),
    Column("split_tokens", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("uid", Text, nullable=False, server_default=""),
)

# One row per file handed in: lets an unchanged file be skipped without parsing it.
sources = Table(
    "sources",
    metadata,
    Column("collection_id", Integer, _parent("collections.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("documents", Integer, nullable=False),
)

# `key` is the id that people see; `layout` holds the sections, so that passages can be cut anew.
documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, _parent("collections.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("layout", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("added", Float, nullable=False),
    UniqueConstraint("collection_id", "key"),
    Index(None, "collection_id", "source"),
    sqlite_autoincrement=True,
)

# `text` equals documents.text[start:end]; `context` (title, headings) is searched, never quoted.
# `embed_sha` names the vector of context + text.
passages = Table(
    "passages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, _parent("collections.id"), nullable=False),
    Column("document_id", Integer, _parent("documents.id"), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("page", Integer),
    Column("heading", JSON, nullable=False),
    Column("table_name", Text),
    Column("row", Integer),
    Column("context", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("embed_sha", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Index(None, "collection_id", "revision"),
    Index(None, "document_id"),
    Index(None, "embed_sha"),
    sqlite_autoincrement=True,
)

# Passages that an index may still hold; swept into it by the next build.
tombstones = Table(
    "tombstones",
    metadata,
    Column("passage_id", Integer, primary_key=True),
    Column("collection_id", Integer, _parent("collections.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Index(None, "collection_id", "revision"),
)

vectors = Table(
    "vectors",
    metadata,
    Column("encoder", Text, primary_key=True),
    Column("embed_sha", Text, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

tables = Table(
    "tables",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document_id", Integer, _parent("documents.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("columns", JSON, nullable=False),
    UniqueConstraint("document_id", "name"),
)

table_rows = Table(
    "table_rows",
    metadata,
    Column("table_id", Integer, _parent("tables.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("cells", JSON, nullable=False),
    sqlite_with_rowid=False,
)

# One job is many items; `kind` is answer or index. `tenant` is whose it is ("" in local use).
# The same idempotency key with the same body is the same job; with another body it is refused.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("collection_id", Integer, _parent("collections.id"), nullable=False),
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
    Column("job_id", Text, _parent("jobs.id"), nullable=False),
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
    sqlite_autoincrement=True,
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
    Column("job_id", Text, _parent("jobs.id"), nullable=False),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("not_before", Float, nullable=False),
    Column("error", Text),
    Column("created", Float, nullable=False),
    Index(None, "state", "not_before"),
)

# Which answers and replies may quote a document: what must lose its text when it is removed.
mentions = Table(
    "mentions",
    metadata,
    Column("document_id", Integer, _parent("documents.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("ref", Integer, primary_key=True),
    sqlite_with_rowid=False,
)
