"""Documents of every format, made in code."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import docx
import openpyxl
import pptx


def pdf(*pages: str, encrypted: bool = False, title: str = "") -> bytes:
    """A PDF with one text layer per page; lines of a page by newlines."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        drawn = [f"({_escaped(line)}) Tj 0 -16 Td" for line in text.split("\n")]
        stream = f"BT /F1 12 Tf 72 760 Td {' '.join(drawn)} ET" if text else "0 0 9 9 re f"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream".encode())
    trailer = "/Root 1 0 R"
    if title:
        objects.append(f"<< /Title ({_escaped(title)}) >>".encode())
        trailer += f" /Info {len(objects)} 0 R"
    if encrypted:
        key = b"<" + b"41" * 32 + b">"
        objects.append(
            b"<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O " + key + b" /U " + key + b" >>"
        )
        mark = "<" + "42" * 16 + ">"
        trailer += f" /Encrypt {len(objects)} 0 R /ID [{mark} {mark}]"
    return _pdf_file(objects, trailer)


def _pdf_file(objects: list[bytes], trailer: str) -> bytes:
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += f"trailer << /Size {len(objects) + 1} {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def word() -> bytes:
    """Title, two headings, a list, a table, deleted and inserted words."""
    document = docx.Document()
    document.core_properties.title = "Travel policy"
    document.core_properties.author = "Ada"
    document.add_heading("Travel", 1)
    document.add_paragraph("Book early.")
    document.add_heading("Hotels 宿泊", 2)
    document.add_paragraph("Up to 120 € a night.")
    document.add_paragraph("breakfast", style="List Bullet")
    document.add_paragraph("no minibar", style="List Bullet")
    table = document.add_table(rows=3, cols=3)
    for row, cells in enumerate((("City", "Limit", ""), ("Rome", "120", "x"), ("Oslo", "", "y"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    document.add_paragraph("After the table.")
    return saved(document)


def slides() -> bytes:
    """Two titled slides, a table on the second, notes on the first; one slide without a title."""
    deck = pptx.Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.shapes.title.text = "Results"
    first.placeholders[1].text = "Up by a third\nThanks to all"
    first.notes_slide.notes_text_frame.text = "Say it slowly."
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Numbers"
    table = second.shapes.add_table(2, 2, 914400, 2000000, 4000000, 800000).table
    for row, cells in enumerate((("Year", "Sales"), ("2024", "7"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    third = deck.slides.add_slide(deck.slide_layouts[6])
    third.shapes.add_textbox(0, 0, 914400, 914400).text_frame.text = "Only a box"
    return saved(deck)


def workbook() -> bytes:
    """A title row, a blank row, a header, typed cells; a hidden and an empty sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    sheet["A1"] = "Price list 2025"
    for column, name in enumerate(("Item", "Price", "Since", "Share", "Item"), 1):
        sheet.cell(3, column, name)
    for row, cells in enumerate((("Bolt", 2.0, 0.5), ("Nut", 1.25, 0.125)), 4):
        sheet.cell(row, 1, cells[0])
        sheet.cell(row, 2, cells[1])
        sheet.cell(row, 3, datetime(2025, 3, row))
        sheet.cell(row, 4, cells[2]).number_format = "0.0%"
    hidden = book.create_sheet("Costs")
    hidden.sheet_state = "hidden"
    hidden.append(("Item", "Cost"))
    hidden.append(("Bolt", 1))
    book.create_sheet("Nothing")
    return saved(book)


def saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()


def with_entry(archive: bytes, name: str, content: bytes) -> bytes:
    """The archive with one entry replaced or added."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.namelist():
            if entry != name:
                new.writestr(entry, old.read(entry))
        new.writestr(name, content)
    return out.getvalue()


def billion_laughs(root: str) -> bytes:
    """XML that grows to 10^9 laughs if anyone resolves its entities."""
    steps = "".join(f'<!ENTITY l{step} "{f"&l{step - 1};" * 10}">' for step in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{steps}]><{root}>&l9;</{root}>'
    ).encode()


HTML = b"""<!doctype html><html lang="en"><head><title>Caf&eacute; guide</title>
<meta name="description" content="Where to sit"><script>var evil = 1;</script></head>
<body><header><a href="/">Home</a></header><nav><ul><li>Menu one</li></ul></nav>
<main><h1>Coffee &amp; tea</h1><p>First <b>bold</b> words.<br>Second line.</p>
<h2>Beans</h2><ul><li>Arabica</li><li>Robusta <i>strong</i></li></ul>
<table><caption>Prices</caption><tr><th>Kind</th><th>Price</th></tr>
<tr><td rowspan=2>Arabica</td><td>9&nbsp;&euro;</td></tr><tr><td>8</td></tr></table>
<pre>  keep
    this</pre><p style="display:none">secret</p></main>
<footer>All rights reserved</footer></body></html>"""

MARKDOWN = """---
title: From the front
tags: [a, "b"]
---
# Handbook 手册

Intro with an emoji 🐟 in it.

```python
# not a heading
```

## Prices ##

| Item | Price |
|------|------:|
| Bolt | 2 \\| 3 |
| Nut  |       |

After.

Underlined
----------
Last words.
""".encode()
