"""Which rows of the ledger count as paid, and which may have been: one rule for every sum.

The same as that of a receipt (ledger.spent), so that receipts, jobs and usage add up.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select

from store.schema import items, ledger

PAID: ColumnElement[bool] = (ledger.c.state == "done") | ledger.c.cost_source.is_not(None)
_item = items.alias()
_AT_WORK = (
    select(_item.c.id)
    .where(_item.c.id == ledger.c.item_id, _item.c.state == "leased")
    .correlate(ledger)
)
# The outcome of these is unknown. A `sent` row whose item is being worked on is in flight; else
# it was left by a killed process.
LOST: ColumnElement[bool] = ledger.c.cost_source.is_(None) & or_(
    ledger.c.state == "unknown", and_(ledger.c.state == "sent", ~_AT_WORK.exists())
)
