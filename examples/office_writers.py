"""DOCX, PPTX and XLSX from blocks and CSV files, with nothing in them that changes by itself.

The three libraries stamp the clock into their files. `fixed` takes that out: every date of a
document is the one handed in, and every entry of the zip archive carries it too.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
from openpyxl.styles import Font
from pptx.util import Inches, Pt

# isort: split
from source_text import Block, title_of

_AUTHOR = "Marrowick Tidelamp Ltd"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def fixed(data: bytes, when: datetime) -> bytes:
    """The same zip archive with all of its dates set to `when`."""
    stamp = when.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            if name == "docProps/core.xml":
                body = re.sub(rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, body)
            entry = zipfile.ZipInfo(name, when.timetuple()[:6])
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            new.writestr(entry, body, zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def _describe(properties: Any, title: str, when: datetime) -> None:
    properties.title = title
    properties.author = _AUTHOR
    properties.last_modified_by = _AUTHOR
    properties.comments = ""
    properties.created = when
    properties.modified = when
    properties.revision = 1


def write_docx(blocks: list[Block], when: datetime) -> bytes:
    """A Word document: title, headings, paragraphs, lists and tables."""
    document = docx.Document()
    _describe(document.core_properties, title_of(blocks), when)
    for block in blocks:
        if block.kind == "heading":
            document.add_heading(block.text, level=block.level - 1)
        elif block.kind == "item":
            document.add_paragraph(block.text, style="List Bullet")
        elif block.kind == "table":
            table = document.add_table(len(block.rows), len(block.rows[0]), style="Table Grid")
            for r, row in enumerate(block.rows):
                for c, text in enumerate(row):
                    run = table.cell(r, c).paragraphs[0].add_run(text)
                    run.bold = r == 0
            document.add_paragraph()
        else:
            document.add_paragraph(block.text)
    out = io.BytesIO()
    document.save(out)
    return fixed(out.getvalue(), when)


def _slides(blocks: list[Block]) -> list[list[Block]]:
    slides: list[list[Block]] = []
    for block in blocks:
        if block.kind == "heading":
            slides.append([])
        slides[-1].append(block)
    return slides


def _slide_table(slide: Any, rows: list[list[str]]) -> None:
    size = (Inches(0.6), Inches(1.8), Inches(8.8), Inches(0.5 * len(rows)))
    table = slide.shapes.add_table(len(rows), len(rows[0]), *size).table
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            table.cell(r, c).text = text
            table.cell(r, c).text_frame.paragraphs[0].font.size = Pt(16)


def write_pptx(blocks: list[Block], when: datetime) -> bytes:
    """Slides: each heading opens one; list items are its text, notes its speaker notes."""
    deck = pptx.Presentation()
    _describe(deck.core_properties, title_of(blocks), when)
    for number, parts in enumerate(_slides(blocks)):
        lines = [b.text for b in parts if b.kind in ("item", "paragraph")]
        tables = [b.rows for b in parts if b.kind == "table"]
        layout = 0 if number == 0 else 5 if tables else 1
        slide = deck.slides.add_slide(deck.slide_layouts[layout])
        slide.shapes.title.text = parts[0].text
        if tables:
            _slide_table(slide, tables[0])
        else:
            slide.placeholders[1].text = "\n".join(lines)
        notes = [b.text for b in parts if b.kind == "note"]
        if notes:
            slide.notes_slide.notes_text_frame.text = "\n".join(notes)
    out = io.BytesIO()
    deck.save(out)
    return fixed(out.getvalue(), when)


def _value(text: str) -> str | int | float | date:
    if _DATE.fullmatch(text):
        return date.fromisoformat(text)
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def write_xlsx(sheets: dict[str, Path], title: str, when: datetime) -> bytes:
    """A workbook with one sheet per CSV file. Numbers and dates become numbers and dates."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = title
    book.properties.creator = _AUTHOR
    for name, path in sheets.items():
        sheet = book.create_sheet(name)
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.reader(lines)):
                sheet.append(row if number == 0 else [_value(cell) for cell in row])
        for column in sheet.iter_cols():
            column[0].font = Font(bold=True)
            widest = max(len(str(cell.value)) for cell in column)
            sheet.column_dimensions[column[0].column_letter].width = min(widest, 34) + 3
        sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return fixed(out.getvalue(), when)
