"""One table with typed cells: what each column is and where each word stands.

Made once a table and only read afterwards. Ragged rows are padded, rows too long are cut; nothing
here raises, whatever the table holds. Not here: reading files, running programs (execute.py).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from retrievers.tableqa.cells import Cell, any_number, read
from retrievers.tableqa.words import stems

ROW = -1  # the column of a row's own number, from 0
ROWS = 800  # rows of a table that are looked at
COLUMNS = 40
_TOTALS = frozenset(
    {"total", "totals", "overall", "average", "sum", "grand total", "overall total"}
)

_YEAR = re.compile(r"(?<![\d,.])(?:1[5-9]|20)\d\d(?![\d,])")

_QUOTES = ('"', "“", "'")
Place = tuple[int, int]  # (row, column)


@dataclass(frozen=True, slots=True)
class Column:
    """header: as given; kind: number, date, score, text or blank; keys: one sortable a row.

    A key is NaN where the cell says nothing that can be compared. years: NaN without a year.
    """

    header: str
    stems: tuple[str, ...]
    kind: str
    keys: tuple[float, ...]
    years: tuple[float, ...]
    texts: tuple[str, ...]
    distinct: int
    look: str


@dataclass(frozen=True)
class Frame:
    """The typed table. cells: row by row; body: the rows that are no total."""

    columns: tuple[Column, ...]
    cells: tuple[tuple[Cell, ...], ...]
    body: tuple[int, ...]

    @classmethod
    def of(cls, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Frame:
        """Of a header and rows of text; at most ROWS rows and COLUMNS columns are looked at."""
        width = min(COLUMNS, max([len(columns), *(len(row) for row in rows[:ROWS])], default=0))
        heads = [*map(str, columns), *[""] * width][:width]
        cells = tuple(
            tuple(read(str(cell)) for cell in [*row, *[""] * width][:width]) for row in rows[:ROWS]
        )
        made = tuple(_column(head, [row[i] for row in cells]) for i, head in enumerate(heads))
        totals = {i for i, row in enumerate(cells) if any(c.text in _TOTALS for c in row[:2])}
        body = tuple(i for i in range(len(cells)) if i not in totals) or tuple(range(len(cells)))
        return cls(made, cells, body)

    def __len__(self) -> int:
        return len(self.cells)

    def text(self, row: int, column: int) -> str:
        """The normal form of a cell."""
        return self.cells[row][column].text

    @cached_property
    def places(self) -> dict[str, set[Place]]:
        """Where each stem stands."""
        found: dict[str, set[Place]] = defaultdict(set)
        for i, row in enumerate(self.cells):
            for j, cell in enumerate(row):
                for stem in cell.stems:
                    found[stem].add((i, j))
        return dict(found)

    @cached_property
    def joined(self) -> tuple[tuple[str, ...], ...]:
        """Each cell's stems as one string with a space on both sides."""
        return tuple(tuple(f" {' '.join(c.stems)} " for c in row) for row in self.cells)

    @cached_property
    def first_text(self) -> int:
        """The first column of text that names the rows, or 0."""
        for i, column in enumerate(self.columns):
            if column.kind == "text" and column.distinct * 2 > len(self):
                return i
        return 0


def _column(header: str, cells: Sequence[Cell]) -> Column:
    kind = _kind(cells)
    keys = tuple(_key(cell, kind) for cell in cells)
    years = tuple(_year(cell) for cell in cells)
    texts = tuple(cell.text for cell in cells)
    return Column(
        header.strip(), stems(header), kind, keys, years, texts, len(set(texts)), _look(cells)
    )


def _look(cells: Sequence[Cell]) -> str:
    """How most of the first cells look: their words (at most 4), a comma, a bracket, quotes."""
    looks = Counter(
        f"{min(len(cell.stems), 4)}{''.join(mark for mark in ',(' if mark in cell.text)}"
        f"{'q' if cell.raw[:1] in _QUOTES else ''}"
        for cell in cells[:12]
        if not cell.blank
    )
    return looks.most_common(1)[0][0] if looks else ""


def _kind(cells: Sequence[Cell]) -> str:
    """What at least 60 of 100 filled cells are; text when nothing prevails."""
    filled = [cell for cell in cells if not cell.blank]
    if not filled:
        return "blank"
    votes = Counter(_vote(cell) for cell in filled)
    winner, count = votes.most_common(1)[0]
    if count >= 0.6 * len(filled):
        return winner
    numbers = votes["number"] + votes["date"] + votes["score"]
    return "number" if numbers >= 0.7 * len(filled) else "text"


def _vote(cell: Cell) -> str:
    if cell.score:
        return "score"
    if cell.date and cell.date[1]:
        return "date"
    long = len(cell.text) > 12 + 2 * sum(c.isdigit() for c in cell.text)
    return "number" if cell.number is not None and not long else "text"


def _key(cell: Cell, kind: str) -> float:
    if cell.blank:
        return math.nan
    if kind == "date" and cell.date:
        year, month, day = cell.date
        return (year or 0) * 372.0 + (month or 1) * 31 + (day or 1)
    if kind == "score" and cell.score:
        return float(cell.score[0])
    number = cell.number if cell.number is not None else None
    if number is None and kind in {"text", "number"}:
        number = any_number(cell.text)
    return math.nan if number is None else number


def _year(cell: Cell) -> float:
    """The year of its date, or the first one that its text names."""
    if cell.date and cell.date[0] is not None:
        return float(cell.date[0])
    found = _YEAR.search(cell.text)
    return float(found.group()) if found else math.nan


def dated(column: Column, value: float) -> bool:
    """Whether a number that is compared with this column means a year of its cells."""
    if column.kind == "date":
        return True
    return column.kind == "text" and 1000 <= value < 2100 and column.years[:1] != ()
