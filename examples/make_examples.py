"""Writes the binary documents of `examples/documents/` from `examples/source/`.

    python examples/make_examples.py            write them
    python examples/make_examples.py --check    write nothing; fail if one would change

Needs python-docx, python-pptx and openpyxl. The text documents are kept as they are.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from office_writers import write_docx, write_pptx, write_xlsx
from pdf_writer import A4, A5, write_pdf
from source_text import read_blocks

HERE = Path(__file__).parent
SOURCE = HERE / "source"
DOCUMENTS = HERE / "documents"


def build() -> dict[str, bytes]:
    """Name and content of every binary document."""
    manual = read_blocks(SOURCE / "tl-40-manual.md")
    report = read_blocks(SOURCE / "quarterly-report-2026-q2.md")
    safety = read_blocks(SOURCE / "safety-lifting-and-charging.md")
    sheet = read_blocks(SOURCE / "tl-45-installation-sheet.md")
    roadmap = read_blocks(SOURCE / "roadmap-2027.md")
    tables = {
        "Orders 2026 H1": SOURCE / "orders-2026-h1.csv",
        "Price list": SOURCE / "price-list.csv",
    }
    return {
        "tl-40-manual.pdf": write_pdf(manual, A5, 10, "D:20260202090000Z"),
        "quarterly-report-2026-q2.pdf": write_pdf(report, A4, 11.5, "D:20260721090000Z"),
        "safety-lifting-and-charging.docx": write_docx(safety, datetime(2026, 3, 3, 9)),
        "tl-45-installation-sheet.docx": write_docx(sheet, datetime(2026, 3, 16, 9)),
        "roadmap-2027.pptx": write_pptx(roadmap, datetime(2026, 10, 6, 9)),
        "orders-and-prices.xlsx": write_xlsx(
            tables, "Orders and prices", datetime(2026, 6, 30, 17)
        ),
    }


def main(arguments: list[str]) -> int:
    """Writes or checks the documents; the exit status."""
    documents = build()
    if "--check" in arguments:
        changed = [n for n, data in documents.items() if not _same(DOCUMENTS / n, data)]
        for name in changed:
            print(f"{name} differs from what its source gives")
        return 1 if changed else 0
    for name, data in documents.items():
        (DOCUMENTS / name).write_bytes(data)
        print(f"{name}: {len(data)} bytes")
    return 0


def _same(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
