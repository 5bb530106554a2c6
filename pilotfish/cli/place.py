"""Where a passage or a citation stands, for people."""

from __future__ import annotations

from pilotfish.types import Place


def place_of(document: str, place: Place | None) -> str:
    """Document, page, and the row or else the headings."""
    parts = [document]
    if place and place.page:
        parts.append(f"page {place.page}")
    if place and place.table and place.rows:
        parts.append(f"{place.table}, row {place.rows[0]}")
    elif place and place.heading:
        parts.append(" › ".join(place.heading))
    return ", ".join(parts)
