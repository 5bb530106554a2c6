"""The purse: what belongs to one item and is needed to spend money on it.

Not here: spending (pipeline/llm.py) and the limits themselves, which the question carries.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from pilotfish.types import Limits
from store.database import Database


@dataclass(frozen=True, slots=True)
class Purse:
    """`tenant` is the collection's name; `started` is time.monotonic() at the item's start.
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
    def scopes(self) -> tuple[str, ...]:
        """The budgets that a call counts against (store/budgets.py)."""
        named = (("job", self.job_id), ("key", self.key_id))
        return tuple(f"{kind}:{name}" for kind, name in named if name is not None)

    def seconds_left(self, limits: Limits) -> float | None:
        """Seconds until the deadline (negative: it has passed); None when there is none."""
        if limits.deadline is None:
            return None
        return limits.deadline - (time.monotonic() - self.started)
