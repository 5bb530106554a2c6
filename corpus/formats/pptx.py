"""PPTX by python-pptx: a slide is a page, its title the heading; tables and notes included.

Not here: pictures, charts, text inside SmartArt.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pptx as python_pptx

from corpus.formats.canvas import Canvas, stem
from corpus.formats.grid import clean, grid_of
from corpus.formats.properties import core_metadata
from corpus.limits import DEFAULT, Limits, check_archive
from corpus.parsed import Parsed, ParseFailure

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_TEMPLATE_TITLE = "PowerPoint Presentation"


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """One document with slide numbers as pages."""
    if reason := check_archive(data, limits):
        yield ParseFailure(name, reason)
        return
    deck = python_pptx.Presentation(io.BytesIO(data))
    if len(deck.slides) > limits.pages:
        reason = f"{len(deck.slides)} slides, the cap is {limits.pages}: split it"
        yield ParseFailure(name, f"{reason} or raise PILOTFISH_LIMITS__PAGES")
        return
    canvas = Canvas()
    for number, slide in enumerate(deck.slides, 1):
        canvas.page(number)
        _slide(slide, canvas)
    title = (deck.core_properties.title or "").strip()
    yield Parsed(
        None,
        (title if title != _TEMPLATE_TITLE else "") or canvas.first_heading or stem(name),
        canvas.text,
        _MEDIA_TYPE,
        canvas.sections(),
        tuple(canvas.tables),
        core_metadata(deck.core_properties) | {"slides": len(deck.slides)},
    )


def _slide(slide: Any, canvas: Canvas) -> None:
    title = slide.shapes.title
    if title is not None:
        canvas.heading(1, title.text_frame.text)
    for shape in _shapes(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if getattr(shape, "has_table", False):
            _table(shape.table, canvas)
        elif shape.has_text_frame:
            canvas.block(_frame(shape.text_frame))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = _frame(slide.notes_slide.notes_text_frame)
        canvas.block(f"Notes: {notes}" if notes else "")


def _shapes(shapes: Any) -> Iterator[Any]:
    """Shapes as one reads them, down and then across; groups opened."""
    waiting = sorted(shapes, key=_place, reverse=True)
    while waiting:
        shape = waiting.pop()
        if hasattr(shape, "shapes"):
            waiting += sorted(shape.shapes, key=_place, reverse=True)
        else:
            yield shape


def _place(shape: Any) -> tuple[int, int]:
    return shape.top or 0, shape.left or 0


def _frame(frame: Any) -> str:
    lines = (one.text.replace("\v", "\n").strip() for one in frame.paragraphs)
    return "\n".join(line for line in lines if line)


def _table(table: Any, canvas: Canvas) -> None:
    rows: list[list[str]] = []
    for line in table.rows:
        row: list[str] = []
        for cell in line.cells:
            merged = cell.is_spanned and not rows and row
            row.append(row[-1] if merged else clean(cell.text_frame.text))
        rows.append(row)
    grid = grid_of(rows)
    if grid is not None:
        canvas.table(f"table {len(canvas.tables) + 1}", canvas.heading_line, grid)
