"""What ends a check of a query. Not here: any check."""

from __future__ import annotations


class Refused(Exception):
    """Its text is what the caller is told."""
