"""DOCX by python-docx: headings, paragraphs, lists and tables in document order.

Text in content controls, text boxes, links and tracked insertions counts; deleted text does not.
Not here: headers, footers, comments, footnotes, pictures.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import docx as python_docx
from docx.oxml.ns import qn

from corpus.formats.canvas import Canvas, stem
from corpus.formats.grid import Grid, clean, grid_of
from corpus.formats.properties import core_metadata
from corpus.limits import DEFAULT, Limits, check_archive
from corpus.parsed import Parsed, ParseFailure

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_LEVEL = re.compile(r"heading (\d)", re.I)
_WRAPPERS = {qn(f"w:{tag}") for tag in ("sdt", "sdtContent", "customXml", "smartTag", "ins")}
_SKIPPED = {qn(f"w:{tag}") for tag in ("del", "moveFrom", "pPr", "rPr", "p", "tbl")} | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
}
_BREAKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_ALWAYS = (qn("w:p"), qn("w:tbl"))
_CONTAINERS = {qn("w:txbxContent")}


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """One document; its tables are `ParsedTable`s too."""
    if reason := check_archive(data, limits):
        yield ParseFailure(name, reason)
        return
    document = python_docx.Document(io.BytesIO(data))
    canvas = Canvas()
    styles = {style.style_id: style for style in document.styles}
    for element in _blocks(document.element.body):
        if element.tag == qn("w:tbl"):
            _table(element, canvas)
        else:
            _paragraph(element, styles, canvas)
    core = document.core_properties
    yield Parsed(
        None,
        (core.title or "").strip() or canvas.first_heading or stem(name),
        canvas.text,
        _MEDIA_TYPE,
        canvas.sections(),
        tuple(canvas.tables),
        core_metadata(core),
    )


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables in order, also those inside content controls."""
    waiting = list(reversed(parent))
    while waiting:
        element = waiting.pop()
        if element.tag in _ALWAYS:
            yield element
        elif element.tag in _WRAPPERS:
            waiting += reversed(element)


def _paragraph(element: Any, styles: dict[str, Any], canvas: Canvas) -> None:
    text = _text(element).strip()
    level = _heading_level(element, styles)
    if level is not None:
        canvas.heading(level, text)
    elif text and _is_list_item(element, styles):
        canvas.block(f"- {text}", tight=True)
    else:
        canvas.block(text)
    for box in element.iter(*_CONTAINERS):
        if not any(above.tag in _SKIPPED - set(_ALWAYS) for above in box.iterancestors()):
            canvas.block("\n".join(filter(None, (_text(one).strip() for one in _blocks(box)))))


def _text(element: Any) -> str:
    """Text of one paragraph, without that of paragraphs nested in it (text boxes)."""
    parts: list[str] = []
    waiting = list(reversed(element))
    while waiting:
        one = waiting.pop()
        if one.tag == qn("w:t"):
            parts.append(one.text or "")
        elif one.tag in _BREAKS:
            parts.append(_BREAKS[one.tag])
        elif one.tag not in _SKIPPED and one.tag not in _CONTAINERS:
            waiting += reversed(one)
    return "".join(parts)


def _style_name(element: Any, styles: dict[str, Any]) -> str:
    found = element.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    style = styles.get(found.get(qn("w:val"))) if found is not None else None
    return (style.name or "") if style is not None else ""


def _heading_level(element: Any, styles: dict[str, Any]) -> int | None:
    """1 to 9 for headings, 0 for the title, None for body text."""
    name = _style_name(element, styles)
    if name.lower() == "title":
        return 0
    if match := _LEVEL.match(name):
        return int(match[1])
    outline = element.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    level = outline.get(qn("w:val")) if outline is not None else None
    return int(level) + 1 if level in set("012345678") else None


def _is_list_item(element: Any, styles: dict[str, Any]) -> bool:
    numbered = element.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None
    return numbered or _style_name(element, styles).lower().startswith("list ")


def _table(element: Any, canvas: Canvas) -> None:
    grid = _grid(element)
    if grid is None:
        return
    if len(grid.columns) == 1:  # a frame around text, not a table
        for cell in (grid.columns[0], *(row[0] for row in grid.rows)):
            canvas.block(cell)
        return
    canvas.table(f"table {len(canvas.tables) + 1}", canvas.heading_line, grid)


def _grid(element: Any) -> Grid | None:
    rows: list[list[str]] = []
    for line in element.iter(qn("w:tr")):
        if next(line.iterancestors(qn("w:tbl"))) is element:
            rows.append(_row(line, rows[-1] if rows else []))
    return grid_of(rows)


def _row(line: Any, above: list[str]) -> list[str]:
    """Cells in their columns: merged down repeats the value, merged across fills headers only."""
    row: list[str] = []
    for cell in line.iter(qn("w:tc")):
        if next(cell.iterancestors(qn("w:tr"))) is not line:
            continue
        text = clean(" ".join(_text(one) for one in cell.iter(qn("w:p"))))
        merged = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
        if merged is not None and merged.get(qn("w:val")) != "restart" and len(row) < len(above):
            text = text or above[len(row)]
        span = cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
        across = _small(span.get(qn("w:val"))) if span is not None else 1
        row += [text] + [text if not above else ""] * (across - 1)
    return row


def _small(typed: str | None) -> int:
    return min(int(typed), 1000) if typed and typed.isdecimal() and int(typed) > 0 else 1
