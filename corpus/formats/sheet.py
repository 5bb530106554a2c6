"""Spreadsheets: every sheet of XLSX, and CSV or TSV, one table each.

Cells are shown as a reader sees them: ISO dates, whole numbers without .0, percentages as such;
CSV cells as typed. Not here: formulas (their stored values are read), charts, macros.
"""

from __future__ import annotations

from collections.abc import Iterator

from corpus.formats.canvas import Canvas, stem
from corpus.formats.decode import decode
from corpus.formats.delimited import read_rows
from corpus.formats.grid import Grid, grid_of
from corpus.limits import DEFAULT, Limits, check_archive
from corpus.parsed import Parsed, ParseFailure
from pilotfish.errors import InputError

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """One document; a sheet without cells is left out."""
    zipped = data.startswith(b"PK\x03\x04")
    read = _workbook if zipped or name.lower().endswith((".xlsx", ".xlsm")) else _delimited
    try:
        yield read(data, name, limits)
    except InputError as error:
        yield ParseFailure(name, str(error))


def _delimited(data: bytes, name: str, limits: Limits) -> Parsed | ParseFailure:
    decoded = decode(data)
    if isinstance(decoded, str):
        return ParseFailure(name, decoded)
    tabs = name.lower().endswith(".tsv")
    rows = list(_counted(read_rows(decoded.text, "\t" if tabs else None), limits))
    grid = grid_of(rows, find_header=True)
    canvas = Canvas()
    if grid is not None:
        _lay(canvas, stem(name), grid)
    media_type = "text/tab-separated-values" if tabs else "text/csv"
    return _parsed(name, media_type, canvas, decoded.warnings, {})


def _workbook(data: bytes, name: str, limits: Limits) -> Parsed | ParseFailure:
    if reason := check_archive(data, limits):
        return ParseFailure(name, reason)
    from corpus.formats.workbook import read_sheets  # openpyxl costs half a second

    canvas, warnings, used = Canvas(), [], 0
    with read_sheets(data) as book:
        for sheet in book.sheets():
            rows = list(_counted(sheet.rows, limits, used))
            used += sum(map(len, rows))
            grid = grid_of(rows, find_header=True)
            if grid is not None:
                _lay(canvas, sheet.name, grid)
                warnings += [f"sheet {sheet.name!r} is hidden: read too"] if sheet.hidden else []
        warnings += book.warnings()
        return _parsed(name, _XLSX, canvas, tuple(warnings), book.metadata())


def _lay(canvas: Canvas, name: str, grid: Grid) -> None:
    """A sheet: its name as heading, its title lines as text, its rows."""
    canvas.heading(1, name)
    for line in grid.above:
        canvas.block(line)
    canvas.table(name, grid.above[0] if grid.above else name, grid)


def _parsed(
    name: str,
    media_type: str,
    canvas: Canvas,
    warnings: tuple[str, ...],
    metadata: dict[str, object],
) -> Parsed | ParseFailure:
    if not canvas.sections():
        return ParseFailure(name, "no cells in it: nothing to read")
    title = metadata.get("title")
    return Parsed(
        None,
        title if isinstance(title, str) else stem(name),
        canvas.text,
        media_type,
        canvas.sections(),
        tuple(canvas.tables),
        {key: value for key, value in metadata.items() if key != "title"},
        warnings,
    )


def _counted(rows: Iterator[list[str]], limits: Limits, used: int = 0) -> Iterator[list[str]]:
    """The rows as they are, up to the cap on cells."""
    for row in rows:
        used += len(row)
        if used > limits.cells:
            raise InputError(
                f"more than {limits.cells} cells: split it or raise PILOTFISH_LIMITS__CELLS"
            )
        yield row
