"""Which rows of the ledger count as paid, and which may have been: one rule for every sum.

The same as that of a receipt (ledger.spent), so that receipts, jobs and usage add up.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement

from store.schema import ledger

PAID: ColumnElement[bool] = (ledger.c.state == "done") | ledger.c.cost_source.is_not(None)
# The outcome of these is unknown: a `sent` one is in flight, or was left by a killed process.
LOST: ColumnElement[bool] = ledger.c.state.in_(("unknown", "sent")) & ledger.c.cost_source.is_(None)
