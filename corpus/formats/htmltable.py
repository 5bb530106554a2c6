"""An HTML table as a grid: which tables hold data, merged cells, captions. Not here: text."""

from __future__ import annotations

from selectolax.lexbor import LexborNode

from corpus.formats.grid import Grid, clean, grid_of

_WIDEST = 1000
_DEEPEST = 10_000


def is_data(table: LexborNode) -> bool:
    """Whether it holds data; a table around other tables or of one column only lays out."""
    if len(table.css("table")) > 1:
        return False
    rows = table.css("tr")
    return len(rows) > 1 and max(len(_cells(row)) for row in rows) > 1


def read_table(table: LexborNode) -> tuple[str, Grid | None]:
    """The caption and the grid. Cells merged down repeat; merged across fill headers only."""
    caption = table.css_first("caption")
    rows: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}  # column -> rows still to fill, and with what
    for line in table.css("tr"):
        row: list[str] = []
        for cell in _cells(line):
            _fill(row, hanging)
            parted = cell.css_first("br, p, div, li") is not None
            text = clean(cell.text(separator=" " if parted else ""))
            down, across = _span(cell, "rowspan", _DEEPEST), _span(cell, "colspan", _WIDEST)
            for place in range(across):
                shown = text if place == 0 or not rows else ""
                if down > 1:
                    hanging[len(row)] = (down - 1, shown)
                row.append(shown)
                if len(row) >= _WIDEST:
                    break
        _fill(row, hanging)
        rows.append(row[:_WIDEST])
    return (clean(caption.text()) if caption is not None else ""), grid_of(rows)


def _fill(row: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    """Put in what hangs down from rows above, up to the next free column."""
    while len(row) in hanging:
        at = len(row)
        left, text = hanging.pop(at)
        if left > 1:
            hanging[at] = (left - 1, text)
        row.append(text)


def _cells(row: LexborNode) -> list[LexborNode]:
    return [node for node in row.iter() if node.tag in ("td", "th")]


def _span(cell: LexborNode, name: str, most: int) -> int:
    typed = (cell.attributes.get(name) or "").strip()
    return min(int(typed), most) if typed.isdecimal() and 0 < len(typed) < 6 and int(typed) else 1
