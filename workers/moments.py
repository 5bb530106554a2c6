"""Points in time as users write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from pilotfish.errors import InputError


def moment(text: str | None) -> float | None:
    """Seconds since 1970 of a number or of ISO 8601 (UTC where it names no zone)."""
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return _iso(text)
    if not math.isfinite(number):
        raise InputError(f"{text[:40]!r} is no time: write 2026-11-01, or seconds since 1970")
    return number


def _iso(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InputError(
            f"{text[:40]!r} is no time: write 2026-11-01, or seconds since 1970"
        ) from None
