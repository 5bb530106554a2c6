"""Tables as JSON lines: {"id", "title"?, "columns": [...], "rows": [[...]]}, one document each.

Ids are kept. Empty and doubled column names are made unique, short rows filled up, cells that are
no text written as text. Not here: types of cells (retrievers/tableqa/frame.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from corpus.formats.canvas import Canvas
from corpus.formats.decode import decode
from corpus.formats.grid import Grid, clean, unique_columns
from corpus.limits import DEFAULT, Limits
from corpus.parsed import TABLE, Parsed, ParseFailure

SUFFIX = ".tables.jsonl"
_NO_TITLE = {"", "none", "null"}


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """Many tables; a bad line is a failure named NAME:LINE and the others still come."""
    decoded = decode(data)
    if isinstance(decoded, str):
        yield ParseFailure(name, decoded)
        return
    used = 0
    for number, line in enumerate(decoded.text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        value = _value(line)
        if isinstance(value, str):
            yield ParseFailure(where, value)
            continue
        used += sum(len(row) for row in value["rows"])
        if used > limits.cells:
            told = f"more than {limits.cells} cells: split it or raise PILOTFISH_LIMITS__CELLS"
            yield ParseFailure(where, told)
            return
        yield table_of(value, where)


def _value(line: str) -> dict[str, Any] | str:
    """The line's object, or what is wrong with it and the mend."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return "malformed JSON: mend or delete the line"
    if not isinstance(value, dict):
        return "not an object with columns and rows"
    own = value.get("id")
    if not isinstance(own, str | int) or isinstance(own, bool) or not str(own).strip():
        return "field `id` is missing or no text: give the table its own"
    columns, rows = value.get("columns"), value.get("rows")
    if not isinstance(columns, list):
        return "field `columns` is no list: give the names of the columns there"
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return "field `rows` is no list of lists: give the cells of each row there"
    return value


def table_of(value: Mapping[str, Any], where: str) -> Parsed | ParseFailure:
    """A document of one table: {"id", "title", "columns", "rows"}."""
    identity = _cell(value["id"])
    title = _cell(value.get("title") or "")
    title = "" if title.casefold() in _NO_TITLE else title
    rows = [(number, [_cell(one) for one in row]) for number, row in enumerate(value["rows"], 2)]
    rows = [(number, row) for number, row in rows if any(row)]
    header = [_cell(one) for one in value["columns"]]
    width = max([len(header), *(len(row) for _, row in rows)], default=0)
    if not rows or not width:
        return ParseFailure(f"{where} ({identity})", "a table without cells: nothing to read")
    cells = tuple(tuple((row + [""] * width)[:width]) for _, row in rows)
    grid = Grid(unique_columns(header, width), cells, tuple(number for number, _ in rows))
    canvas = Canvas()
    canvas.table(identity, title or identity, grid)
    return Parsed(
        identity, title or identity, canvas.text, TABLE, canvas.sections(), tuple(canvas.tables)
    )


def _cell(value: object) -> str:
    """A cell as one line of text, without what no database takes."""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    elif isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    text = "" if value is None else str(value)
    return clean(text.replace("\0", "").encode("utf-8", "replace").decode())
