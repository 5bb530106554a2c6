"""The core properties that Office documents share, as metadata. Not here: the title."""

from __future__ import annotations

from typing import Any

_KEYS = ("author", "subject", "keywords", "category", "created", "modified")


def core_metadata(core: Any) -> dict[str, object]:
    """Author, subject, keywords and dates of a DOCX or PPTX, where they are set."""
    found: dict[str, object] = {}
    for key in _KEYS:
        value = getattr(core, key, None)
        if value:
            found[key] = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return found
