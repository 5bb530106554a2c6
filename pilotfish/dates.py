"""Months and years as they are written in English, for every rule that looks for a date.

Parts of patterns, without the edges that their users put around them. Not here: what a date is
worth (verifiers/), names, whose patterns differ by what they are for.
"""

from __future__ import annotations

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
MONTH = "|".join(MONTHS)
MONTH_OR_SHORT = f"{MONTH}|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
YEAR = r"(?:1\d|20)\d\d"  # 1000 to 2099
MODERN_YEAR = r"(?:1[5-9]|20)\d\d"
