"""Claims held against tables of the collection, for `verify`. Not here: judging (tableqa/)."""

from __future__ import annotations

from pilotfish.errors import NotFound
from pipeline.library import Library


def held_against(library: Library, claim: str, table: str) -> dict[str, float]:
    """P(supported) and P(contradicted) of a claim about a table; NotFound names the table.

    A table says yes or no; what it does not speak of lies near one half.
    """
    tables = library.parts.tables
    laid = tables.find(table)
    if laid is None:
        raise NotFound(f"no table {table!r} in the collection: see pilotfish list")
    supported = round(tables.judged(claim, laid).supported, 6)
    contradicted = round(1 - supported, 6)
    return {"supported": supported, "contradicted": contradicted, "unsupported": 0.0}
