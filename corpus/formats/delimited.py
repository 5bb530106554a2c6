"""CSV and TSV to rows of clean cells: which delimiter, then the csv module. Not here: headers."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from corpus.formats.grid import clean

_DELIMITERS = ",;\t|"
_LONGEST_CELL = 10_000_000
_LOOK = 100
_SAMPLE = 65_536


def read_rows(text: str, preferred: str | None = None) -> Iterator[list[str]]:
    """Every record as clean cells; blank lines are empty rows, so that row numbers hold."""
    csv.field_size_limit(_LONGEST_CELL)
    if text[:4].lower() == "sep=" and text[5:6] in ("\n", ""):  # Excel's own hint
        yield []
        preferred, text = text[4:5], text[6:]
    delimiter = preferred or sniff(text[:_SAMPLE])
    for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        yield [clean(cell) for cell in record]


def sniff(sample: str) -> str:
    """The delimiter that cuts most lines into the same number of cells, and into most cells."""
    return max(_DELIMITERS, key=lambda delimiter: _score(sample, delimiter))


def _score(sample: str, delimiter: str) -> tuple[float, int]:
    lines = io.StringIO(sample, newline="")
    try:
        widths = [len(row) for row in islice(csv.reader(lines, delimiter=delimiter), _LOOK) if row]
    except csv.Error:
        return 0.0, 0
    wide = Counter(width for width in widths if width > 1)
    if not wide:
        return 0.0, 0
    width, often = max(wide.items(), key=lambda item: (item[1], item[0]))
    return round(often / len(widths), 1), width
