"""What support is worth in a collection: one text a recipe and judge, with date and labels.

Not here: what the text means (verifiers/calibration.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from store.schema import calibrations
from store.upsert import put as put_row


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored calibration; `created` in seconds since the epoch."""

    labels: int
    body: str
    created: float

    @property
    def where(self) -> str:
        """What answers say of it."""
        return told(self.labels, self.created)


def told(labels: int, created: float) -> str:
    """That something was fitted to this collection, on how many labels and when."""
    day = time.strftime("%Y-%m-%d", time.gmtime(created))
    return f"calibrated here on {labels} labels, {day}"


_C = calibrations.c
# Made once: building a statement takes longer than running it.
_OF = select(_C.labels, _C.body, _C.created).where(
    _C.collection_id == bindparam("collection"), _C.recipe == bindparam("recipe"),
    _C.judge == bindparam("judge"),
)  # fmt: skip


def put(connection: Connection, key: tuple[int, str, str], labels: int, body: str) -> Kept:
    """Store it for (collection id, recipe, judge), in place of the one before."""
    kept = Kept(labels, body, time.time())
    collection_id, recipe, judge = key
    put_row(connection, calibrations, {
        "collection_id": collection_id, "recipe": recipe, "judge": judge,
        "labels": labels, "body": body, "created": kept.created,
    })  # fmt: skip
    return kept


def of(connection: Connection, collection_id: int, recipe: str, judge: str) -> Kept | None:
    """The calibration of answers that this recipe gives by this judge; None: there is none."""
    wanted = {"collection": collection_id, "recipe": recipe, "judge": judge}
    row = connection.execute(_OF, wanted).first()
    return None if row is None else Kept(*row)
