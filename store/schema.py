"""All tables in one place. Migrations make them; a test proves that both agree."""

from __future__ import annotations

from store.content_schema import (
    collections,
    documents,
    mentions,
    metadata,
    passages,
    quarantine,
    sources,
    table_rows,
    tables,
    tombstones,
    triples,
    tuned,
    vectors,
)
from store.work_schema import (
    budgets,
    calibrations,
    deliveries,
    files,
    items,
    jobs,
    keys,
    labels,
    leases,
    ledger,
    rates,
)

__all__ = [
    "budgets",
    "calibrations",
    "collections",
    "deliveries",
    "documents",
    "files",
    "items",
    "jobs",
    "keys",
    "labels",
    "leases",
    "ledger",
    "mentions",
    "metadata",
    "passages",
    "quarantine",
    "rates",
    "sources",
    "table_rows",
    "tables",
    "tombstones",
    "triples",
    "tuned",
    "vectors",
]
