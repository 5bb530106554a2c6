"""A small PDF writer: standard Helvetica fonts, WinAnsi text, wrapping, tables, page numbers.

Not here: pictures, colours, compression, embedded fonts. Text outside WinAnsi is an error.
The output depends on the input alone, so a rerun gives the same bytes.
"""

from __future__ import annotations

from source_text import Block, title_of

A4 = (595, 842)
A5 = (420, 595)

# Advance widths of the characters 32 to 126, in thousandths of the font size.
_REGULAR = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556
556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778
667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556
556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584
"""
_BOLD = """
278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556
556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778
667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611
611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584
"""
_WIDTHS = {False: _REGULAR.split(), True: _BOLD.split()}
_HEADING_SIZE = {1: 19.0, 2: 14.0, 3: 11.5}


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width of `text` in points. Characters outside ASCII count as wide as a digit."""
    table = _WIDTHS[bold]
    units = sum(int(table[ord(c) - 32]) if 32 <= ord(c) <= 126 else 556 for c in text)
    return units * size / 1000


def wrap(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """`text` in lines that are no wider than `width`, broken at spaces."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size, bold) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines or [""]


def _literal(text: str) -> bytes:
    raw = text.encode("cp1252")
    for char in (b"\\", b"(", b")"):
        raw = raw.replace(char, b"\\" + char)
    return b"(" + raw + b")"


class _Layout:
    """Puts blocks on pages, from the top down."""

    def __init__(self, size: tuple[int, int], body: float) -> None:
        self.width, self.height = size
        self.body = body
        self.margin = 0.11 * self.width
        self.column = self.width - 2 * self.margin
        self.pages: list[list[bytes]] = []
        self.y = 0.0
        self.new_page()

    def new_page(self) -> None:
        self.pages.append([])
        self.y = self.height - self.margin

    def need(self, height: float) -> None:
        if self.y - height < self.margin + 16:
            self.new_page()

    def show(self, x: float, y: float, text: str, size: float, bold: bool = False) -> None:
        font = b"/F2" if bold else b"/F1"
        place = f"{size:g} Tf {x:.2f} {y:.2f} Td ".encode()
        self.pages[-1].append(b"BT " + font + b" " + place + _literal(text) + b" Tj ET")

    def rule(self, y: float) -> None:
        x_end = self.width - self.margin
        self.pages[-1].append(f"0.5 w {self.margin:.2f} {y:.2f} m {x_end:.2f} {y:.2f} l S".encode())

    def text(self, text: str, size: float, bold: bool = False, indent: float = 0.0) -> None:
        for line in wrap(text, self.column - indent, size, bold):
            self.need(size * 1.4)
            self.y -= size * 1.4
            self.show(self.margin + indent, self.y, line, size, bold)

    def heading(self, block: Block) -> None:
        size = _HEADING_SIZE[block.level]
        # Room for the heading, a smaller one that may follow, and two lines of text.
        self.need(size * 2.6 + self.body * (8 if block.level < 3 else 4))
        if self.y < self.height - self.margin:
            self.y -= size * 0.8
        self.text(block.text, size, bold=True)
        self.y -= size * 0.25

    def item(self, text: str) -> None:
        self.need(self.body * 1.4)
        self.show(self.margin, self.y - self.body * 1.4, "\u2022", self.body)
        self.text(text, self.body, indent=12)
        self.y -= self.body * 0.3

    def table(self, rows: list[list[str]]) -> None:
        size = self.body - 0.5
        count = max(len(row) for row in rows)
        natural = [
            max(text_width(row[i], size, bold=True) for row in rows if i < len(row)) + 12
            for i in range(count)
        ]
        scale = self.column / sum(natural)
        widths = [w * scale for w in natural]
        self.need(size * 1.7 * min(len(rows), 6))
        for number, row in enumerate(rows):
            bold = number == 0
            cells = [wrap(c, widths[i] - 4, size, bold) for i, c in enumerate(row)]
            height = size * 1.35 * max(len(c) for c in cells) + 4
            self.need(height)
            x = self.margin
            for i, lines in enumerate(cells):
                for n, line in enumerate(lines, start=1):
                    self.show(x, self.y - n * size * 1.35, line, size, bold)
                x += widths[i]
            self.y -= height
            self.rule(self.y)
        self.y -= self.body * 0.8

    def add(self, block: Block) -> None:
        if block.kind == "heading":
            self.heading(block)
        elif block.kind == "table":
            self.table(block.rows)
        elif block.kind == "item":
            self.item(block.text)
        else:
            self.need(self.body * 2.8)
            self.text(block.text, self.body)
            self.y -= self.body * 0.6

    def footers(self, title: str) -> None:
        total = len(self.pages)
        for number, page in enumerate(self.pages, start=1):
            y = self.margin * 0.6
            label = f"Page {number} of {total}"
            x = self.width - self.margin - text_width(label, 8)
            for at, text in ((self.margin, title), (x, label)):
                place = f"BT /F1 8 Tf {at:.2f} {y:.2f} Td ".encode()
                page.append(place + _literal(text) + b" Tj ET")


def write_pdf(blocks: list[Block], size: tuple[int, int], body: float, created: str) -> bytes:
    """The document as PDF bytes. `created` is a PDF date such as `D:20260701090000Z`."""
    title = title_of(blocks)
    layout = _Layout(size, body)
    for block in blocks:
        layout.add(block)
    layout.footers(title)

    first_page = 6
    kids = " ".join(f"{first_page + 2 * i} 0 R" for i in range(len(layout.pages)))
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    info = b"<< /Title " + _literal(title) + b" /Producer (Pilotfish examples) /CreationDate "
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (en-GB) >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(layout.pages)} >>".encode(),
        font.format("Helvetica").encode(),
        font.format("Helvetica-Bold").encode(),
        info + _literal(created) + b" >>",
    ]
    for number, page in enumerate(layout.pages):
        stream = b"\n".join(page)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Resources "
            f"<< /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents {first_page + 2 * number + 1} 0 R "
            f">>".encode()
        )
        head = f"<< /Length {len(stream)} >>\nstream\n".encode()
        objects.append(head + stream + b"\nendstream")
    return _assemble(objects)


def _assemble(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets: list[int] = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    for offset in offsets:
        out += f"{offset:010d} 00000 n \n".encode()
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R >>\n".encode()
    out += f"startxref\n{start}\n%%EOF\n".encode()
    return bytes(out)
