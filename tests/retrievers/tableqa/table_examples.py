"""Small tables that the tests of tableqa share."""

from __future__ import annotations

from retrievers.tableqa.frame import Frame

COLUMNS = ["Rank", "Nation", "Gold", "Silver", "Host city"]
ROWS = [
    ["1", "Norway", "10", "4", "Oslo"],
    ["2", "Germany", "8", "7", "Berlin"],
    ["3", "Russia", "5", "9", "Moscow"],
    ["4", "Japan", "5", "1", "Tokyo"],
    ["5", "Austria", "2", "0", "Berlin"],
]


def medals() -> Frame:
    """Five nations and their medals; Berlin twice, five gold medals twice."""
    return Frame.of(COLUMNS, ROWS)
