"""`column IN (...)` for statements that are made once, with a fixed number of places.

SQLAlchemy writes a statement with an IN list of any length anew each time it runs. What is over
is filled with the last value. Not here: long lists, which stay so (passages.chunks).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam

PLACES = 12


def among(column: ColumnElement[Any], places: int = PLACES) -> ColumnElement[bool]:
    """The condition; `filled` gives its values."""
    return column.in_([bindparam(f"in_{n}", type_=column.type) for n in range(places)])


def filled(values: Sequence[object], places: int = PLACES) -> Iterator[dict[str, object]]:
    """The values of one or more executions, by their names in the statement."""
    for at in range(0, len(values), places):
        some = list(values[at : at + places])
        some += some[-1:] * (places - len(some))
        yield {f"in_{n}": value for n, value in enumerate(some)}
