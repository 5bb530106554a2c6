"""The purse: what belongs to one item and is needed to spend money on it.

Not here: spending (pipeline/llm.py) and the limits themselves, which the question carries.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from pilotfish.types import Limits
from store.database import Database
from store.keys import SEPARATOR
from store.ledger import Spender


@dataclass(frozen=True, slots=True)
class Purse:
    """`tenant` is the collection's stored name; `started` is time.monotonic() at the item's start.
    `job_id` and `key_id` say in whose name is spent.
    """

    database: Database
    tenant: str
    collection_id: int
    item_id: int | None = None
    job_id: str | None = None
    key_id: str | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def spender(self) -> Spender:
        """In whose name the ledger writes."""
        owner, separator, _ = self.tenant.partition(SEPARATOR)
        tenant = owner if separator else ""
        return Spender(tenant, self.item_id, self.job_id, self.key_id)

    def seconds_left(self, limits: Limits) -> float | None:
        """Seconds until the deadline (negative: it has passed); None when there is none."""
        if limits.deadline is None:
            return None
        return limits.deadline - (time.monotonic() - self.started)
