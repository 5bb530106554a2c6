"""XLSX and XLSM by openpyxl, streamed: sheets, shown values, what could not be seen.

Not here: tables made of the rows; `sheet.py` does that.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl

from corpus.formats.grid import clean

_BARE_FORMULA = re.compile(rb"<f[^>]*>[^<]+</f>\s*(?:<v\s*/>|<v>\s*</v>|</c>)")
_LOOK = 20_000_000  # bytes of a sheet searched for formulas without values


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet; `rows` come once, in order, row 1 first."""

    name: str
    hidden: bool
    rows: Iterator[list[str]]


class Book:
    """An open workbook."""

    def __init__(self, workbook: Any, data: bytes) -> None:
        self._workbook, self._data = workbook, data

    def sheets(self) -> Iterator[Sheet]:
        """Every worksheet, hidden ones included, chart sheets not."""
        for sheet in self._workbook.worksheets:
            sheet.reset_dimensions()  # what a file says about its size is not to be believed
            yield Sheet(sheet.title, sheet.sheet_state != "visible", _rows(sheet))

    def warnings(self) -> list[str]:
        """Formulas whose value was never stored read as empty cells."""
        bare = 0
        with zipfile.ZipFile(io.BytesIO(self._data)) as archive:
            for entry in archive.namelist():
                if entry.startswith("xl/worksheets/") and entry.endswith(".xml"):
                    with archive.open(entry) as member:
                        bare += len(_BARE_FORMULA.findall(member.read(_LOOK)))
        mend = "open and save it in a spreadsheet program"
        return [f"{bare} formulas have no stored value and read as empty: {mend}"] if bare else []

    def metadata(self) -> dict[str, object]:
        """Title, author and dates, where they are set."""
        core = self._workbook.properties
        named = {"title": core.title, "author": core.creator}
        dates = {"created": core.created, "modified": core.modified}
        found: dict[str, object] = {key: str(value) for key, value in named.items() if value}
        return found | {key: value.isoformat() for key, value in dates.items() if value}


@contextmanager
def read_sheets(data: bytes) -> Iterator[Book]:
    """The workbook, closed afterwards."""
    workbook = openpyxl.load_workbook(
        io.BytesIO(data), read_only=True, data_only=True, keep_links=False
    )
    try:
        yield Book(workbook, data)
    finally:
        workbook.close()


def _rows(sheet: Any) -> Iterator[list[str]]:
    for cells in sheet.iter_rows():
        row = [_shown(cell) for cell in cells]
        while row and not row[-1]:
            row.pop()
        yield row


def _shown(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return _duration(value) if isinstance(value, timedelta) else clean(str(value))


def _number(value: int | float, number_format: str) -> str:
    if "%" in number_format:
        places = re.search(r"\.([0#?]+)[^;]*%", number_format)
        return f"{value * 100:.{len(places[1]) if places else 0}f}%"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    return str(value)


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
