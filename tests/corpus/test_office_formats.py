"""PDF, DOCX, PPTX and spreadsheets: canonical text, pages, headings, tables, refusals."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import made_documents as made
import openpyxl
import pytest

from corpus.limits import Limits, check_archive
from corpus.parsed import Parsed, ParseFailure
from corpus.sandbox import Sandbox

LONG = "This is a line of text that runs on until the margin of the page is near\n"


def test_pdf_has_a_section_per_page(read: Any) -> None:
    found = read(made.pdf("First page (one).", "Second page.", title="My paper"), "a.pdf")
    assert found.title == "My paper" and found.metadata["pages"] == 2
    assert [(one.page, found.text[one.start : one.end]) for one in found.sections] == [
        (1, "First page (one)."), (2, "Second page."),
    ]  # fmt: skip


def test_pdf_lines_are_joined_into_paragraphs(read: Any) -> None:
    page = f"Heading\n{LONG}{LONG}a well-\nknown end.\n- an item\n- another"
    text = read(made.pdf(page), "a.pdf").text
    line = LONG.strip()
    assert text == f"Heading\n\n{line} {line} a well-known end.\n\n- an item\n\n- another"


def test_pdf_named_as_text_is_read_as_pdf(read: Any) -> None:
    assert read(made.pdf("Words."), "a.txt").media_type == "application/pdf"


def test_pdf_with_a_scanned_page_says_so(read: Any) -> None:
    found = read(made.pdf("Words.", ""), "a.pdf")
    assert found.warnings == ("page 2 without a text layer (scanned?): run OCR first",)


def test_pdf_page_that_fails_is_reported_not_silent(read: Any) -> None:
    data = made.pdf("First.", "Second.", "Third.")
    found = read(data.replace(b"6 0 obj\n<< /Type /Page ", b"6 0 obj\n<< /Type /Nope "), "a.pdf")
    assert found.pages_failed == (2,) and "page 2 could not be read" in found.warnings
    assert [one.page for one in found.sections] == [1, 3]


def test_pdf_that_cannot_be_read_says_why(refuse: Any) -> None:
    whole = made.pdf(*["Words. " * 20] * 5)
    assert refuse(made.pdf("Words.", encrypted=True), "a.pdf") == (
        "encrypted PDF: save it without a password"
    )
    assert refuse(made.pdf("", ""), "a.pdf") == "no text layer (scanned?): run OCR first"
    assert "truncated" in refuse(whole[:200], "a.pdf")
    assert "truncated" in refuse(b"%PDF-1.7\n", "a.pdf")


def test_pdf_with_too_many_pages_is_refused() -> None:
    with Sandbox(Limits(pages=2)) as sandbox:
        (found,) = sandbox.parse(None, made.pdf("a", "b", "c"), "a.pdf")
    assert isinstance(found, ParseFailure) and "3 pages, the cap is 2" in found.reason


def test_docx_keeps_document_order_and_headings(read: Any) -> None:
    found = read(made.word(), "a.docx")
    assert found.title == "Travel policy" and found.metadata["author"] == "Ada"
    assert found.text == (
        "Travel\n\nBook early.\n\nHotels 宿泊\n\nUp to 120 € a night.\n\n- breakfast\n- no minibar"
        "\n\nCity: Rome; Limit: 120; column 3: x\nCity: Oslo; column 3: y\n\nAfter the table."
    )
    assert [one.heading for one in found.sections] == [("Travel",), ("Travel", "Hotels 宿泊")]
    assert found.tables[0].title == "Hotels 宿泊" and found.tables[0].numbers == (2, 3)


def test_docx_reads_insertions_and_not_deletions(read: Any) -> None:
    data = made.word()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("word/document.xml").decode()
    changed = xml.replace(
        "<w:t>Book early.</w:t></w:r>",
        "<w:t>Book </w:t></w:r><w:ins><w:r><w:t>very </w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>not </w:delText></w:r></w:del><w:r><w:t>early.</w:t></w:r>",
    )
    assert changed != xml
    found = read(made.with_entry(data, "word/document.xml", changed.encode()), "a.docx")
    assert "Book very early." in found.text


def test_pptx_slides_are_pages_with_notes_and_tables(read: Any) -> None:
    found = read(made.slides(), "deck.pptx")
    assert found.title == "Results" and found.metadata["slides"] == 3
    assert [(one.page, one.heading) for one in found.sections] == [
        (1, ("Results",)), (2, ("Numbers",)), (3, ()),
    ]  # fmt: skip
    first = found.sections[0]
    assert found.text[first.start : first.end] == (
        "Up by a third\nThanks to all\n\nNotes: Say it slowly."
    )
    assert found.tables[0].columns == ("Year", "Sales") and found.tables[0].rows == (("2024", "7"),)


def test_xlsx_sheets_are_tables_of_shown_values(read: Any) -> None:
    found = read(made.workbook(), "prices.xlsx")
    prices, costs = found.tables
    assert prices.name == "Prices" and prices.title == "Price list 2025"
    assert prices.columns == ("Item", "Price", "Since", "Share", "Item (2)")
    assert prices.rows == (
        ("Bolt", "2", "2025-03-04", "50.0%", ""),
        ("Nut", "1.25", "2025-03-05", "12.5%", ""),
    )
    assert prices.numbers == (4, 5)
    assert "Item: Bolt; Price: 2; Since: 2025-03-04; Share: 50.0%" in found.text
    assert costs.rows == (("Bolt", "1"),)
    assert found.warnings == ("sheet 'Costs' is hidden: read too",)
    assert [one.heading for one in found.sections] == [("Prices",), ("Costs",)]


def test_sheets_of_one_name_give_tables_of_two(read: Any) -> None:
    book = openpyxl.Workbook()
    for title in ("Prices", "Other1", "Other2"):
        sheet = book.create_sheet(title)
        sheet.append(("item", "price"))
        sheet.append((title, 1))
    names = {b"Other1": b"Prices", b"Other2": b"PRICES"}
    packed, again = io.BytesIO(made.saved(book)), io.BytesIO()
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(again, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            for before, after in names.items() if entry == "xl/workbook.xml" else ():
                data = data.replace(b'name="%b"' % before, b'name="%b"' % after)
            new.writestr(entry, data)
    found = read(again.getvalue(), "a.xlsx")
    assert [table.name for table in found.tables] == ["Prices", "Prices (2)", "PRICES (3)"]
    assert [section.heading for section in found.sections] == [("Prices",)] * 2 + [("PRICES",)]


def test_xlsx_formulas_without_values_are_reported(read: Any) -> None:
    book = openpyxl.Workbook()
    for row in (("a", "b"), ("x", "=1+1")):
        book.active.append(row)
    assert "1 formulas have no stored value" in read(made.saved(book), "a.xlsx").warnings[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiters_are_found(read: Any, delimiter: str) -> None:
    rows = (("Name", "Price", "Note"), ("Bolt, long", "1;5", ""), ("Nut", "5 %", "a|b"))
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    (table,) = read(text.encode(), "a.csv").tables
    assert table.columns == rows[0] and table.rows == rows[1:] and table.name == "a"


def test_csv_title_rows_are_skipped_and_row_numbers_hold(read: Any) -> None:
    data = b"Sales report\n\nCity,Q1,Q2,\nRome,1,2,\n\nOslo,$3,,x\n"
    found = read(data, "a.csv")
    (table,) = found.tables
    assert table.columns == ("City", "Q1", "Q2", "column 4") and table.title == "Sales report"
    assert table.rows == (("Rome", "1", "2", ""), ("Oslo", "$3", "", "x"))
    assert table.numbers == (4, 6)
    assert found.text.startswith("a\n\nSales report\n\nCity: Rome; Q1: 1")


def test_csv_of_numbers_only_has_no_header_taken_from_it(read: Any) -> None:
    (table,) = read(b"1,2\n3,4\n", "a.csv").tables
    assert table.columns == ("column 1", "column 2") and len(table.rows) == 2


def test_csv_in_a_western_encoding_and_with_a_hint_from_excel(read: Any) -> None:
    found = read("sep=;\nStadt;Größe\nKöln;1,5\n".encode("cp1252"), "a.csv")
    assert found.tables[0].rows == (("Köln", "1,5"),) and "cp1252" in found.warnings[0]


def test_tsv_keeps_commas(read: Any) -> None:
    (table,) = read(b"a\tb\n1,2\t3,4\n", "a.tsv").tables
    assert table.rows == (("1,2", "3,4"),)


def test_a_sheet_with_too_many_cells_is_refused() -> None:
    with Sandbox(Limits(cells=100)) as sandbox:
        (found,) = sandbox.parse(None, b"a,b,c\n" * 50, "a.csv")
    assert isinstance(found, ParseFailure) and "more than 100 cells" in found.reason


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx"])
def test_encrypted_office_files_are_named(refuse: Any, name: str) -> None:
    assert "encrypted or old binary Office file" in refuse(b"\xd0\xcf\x11\xe0" * 200, name)


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx"])
def test_truncated_office_files_are_named(refuse: Any, name: str) -> None:
    whole = {"a.docx": made.word, "a.pptx": made.slides, "a.xlsx": made.workbook}[name]()
    assert "truncated or damaged" in refuse(whole[: len(whole) // 2], name)


def test_a_zip_bomb_dressed_as_docx_is_refused(refuse: Any) -> None:
    bomb = made.with_entry(made.word(), "word/media/big.bin", bytes(60_000_000))
    assert "a zip bomb?" in refuse(bomb, "a.docx")


def test_an_archive_is_measured_by_what_comes_out_not_by_what_it_says() -> None:
    honest = made.with_entry(made.word(), "word/media/big.bin", bytes(3_000_000))
    assert check_archive(honest, Limits()) is None
    assert "more than 2 MB" in (check_archive(honest, Limits(inflated_mb=2)) or "")
    size, small = struct.pack("<I", 3_000_000), struct.pack("<I", 10)
    lying = honest.replace(size, small)
    assert lying != honest
    assert "damaged" in (check_archive(lying, Limits(inflated_mb=2)) or "")
    assert "entries in the archive" in (check_archive(honest, Limits(entries=3)) or "")


@pytest.mark.parametrize(
    ("whole", "entry", "root", "name"),
    [
        (made.word, "word/document.xml", "w", "a.docx"),
        (made.workbook, "xl/workbook.xml", "w", "a.xlsx"),
        (made.workbook, "xl/sharedStrings.xml", "w", "a.xlsx"),
        (made.slides, "ppt/presentation.xml", "w", "a.pptx"),
    ],
)
def test_a_billion_laughs_are_refused(
    refuse: Any, whole: Any, entry: str, root: str, name: str
) -> None:
    laughs = made.billion_laughs(root)
    late = laughs.replace(b"<!DOCTYPE", b"<!--" + b"x" * (256 * 1024 - 30) + b"--><!DOCTYPE")
    for xml in (laughs, late, laughs.decode().encode("utf-16")):
        data = made.with_entry(whole(), entry, xml)
        assert "declares XML entities" in refuse(data, name)


@pytest.mark.parametrize("whole", [made.word, made.workbook, made.slides])
def test_the_office_parsers_resolve_no_entities_themselves(
    monkeypatch: pytest.MonkeyPatch, whole: Any
) -> None:
    """With our own check taken away the libraries still do not laugh."""
    import corpus.formats.docx as docx
    import corpus.formats.pptx as pptx
    import corpus.formats.sheet as sheet

    for module in (docx, pptx, sheet):
        monkeypatch.setattr(module, "check_archive", lambda data, limits: None)
    family, entry, name = {
        made.word: (docx, "word/document.xml", "a.docx"),
        made.workbook: (sheet, "xl/sharedStrings.xml", "a.xlsx"),
        made.slides: (pptx, "ppt/presentation.xml", "a.pptx"),
    }[whole]
    data = made.with_entry(whole(), entry, made.billion_laughs("w"))
    texts: list[str] = []
    try:
        texts = [one.text for one in family.parse(data, name) if isinstance(one, Parsed)]
    except (KeyError, ValueError, AttributeError, SyntaxError) as error:  # any refusal will do
        texts.append(str(error)[:100])
    assert sum(map(len, texts)) < 100_000
