"""Rows of cells made into a table: where the header is, unique columns, rows as text.

Not here: reading cells; each format does that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NUMBER = re.compile(r"[-+(]?[$€£¥]?\s?[\d.,'\u00a0 ]*\d[\d.,]*\s?[%€$£¥)]?")
_LOOK = 30  # rows looked at to find the header


@dataclass(frozen=True, slots=True)
class Grid:
    """A table without its place in a text; `above` are the title lines over the header."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    above: tuple[str, ...] = ()


def clean(cell: str) -> str:
    """A cell on one line, runs of blanks made one space."""
    return " ".join(cell.split())


def linearise(columns: Sequence[str], row: Sequence[str]) -> str:
    """`Header: value; Header: value`, empty cells left out."""
    pairs = zip(columns, row, strict=True)
    return "; ".join(f"{column}: {cell}" for column, cell in pairs if cell)


def grid_of(source: Iterable[Sequence[str]], find_header: bool = False) -> Grid | None:
    """Clean cells row by row into a table; None when all are empty.

    With `find_header`, title rows over the header are skipped into `above`;
    else the first row with anything in it is the header.
    """
    rows = [(number, tuple(row)) for number, row in enumerate(source, 1) if any(row)]
    if not rows:
        return None
    at = _header_at(rows) if find_header else 0
    headless = find_header and len(rows) > 1 and _all_numbers(rows[at][1])
    body = rows[at:] if headless else rows[at + 1 :]
    width = max(_width(row) for _, row in rows[at:])
    columns = unique_columns(() if headless else rows[at][1], width)
    return Grid(
        columns,
        tuple((row + ("",) * width)[:width] for _, row in body),
        tuple(number for number, _ in body),
        tuple(" ".join(filter(None, row)) for _, row in rows[:at]),
    )


def unique_columns(header: Sequence[str], width: int) -> tuple[str, ...]:
    """`width` names, none empty ("column 3"), none twice ("Price (2)")."""
    taken: set[str] = set()
    given = (*header[:width], *[""] * (width - len(header)))
    return tuple(free(name or f"column {at}", taken) for at, name in enumerate(given, 1))


def free(wanted: str, taken: set[str]) -> str:
    """`wanted`, or "wanted (2)" and so on where it is taken in any case; taken from now on."""
    name, copy = wanted, 1
    while name.casefold() in taken:
        copy += 1
        name = f"{wanted} ({copy})"
    taken.add(name.casefold())
    return name


def _header_at(rows: Sequence[tuple[int, tuple[str, ...]]]) -> int:
    """The first row at least half as full as rows usually are: titles fill one or two cells."""
    filled = [sum(map(bool, row)) for _, row in rows[:_LOOK]]
    usual = Counter(filled).most_common(1)[0][0]
    if usual == 1:
        usual = max(filled)
        if filled.count(usual) == 1 and usual < 3:
            return 0
    least = max(2, (usual + 1) // 2) if usual > 1 else 1
    if usual > 3:
        least = max(least, 3)
    return next((at for at, count in enumerate(filled) if count >= least), 0)


def _all_numbers(row: Sequence[str]) -> bool:
    return all(len(cell) < 40 and _NUMBER.fullmatch(cell) for cell in row if cell)


def _width(row: Sequence[str]) -> int:
    return max((place for place, cell in enumerate(row, 1) if cell), default=0)
