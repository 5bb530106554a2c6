"""PDF by pypdfium2: the text layer, one section per page. Not here: OCR, tables, forms.

Lines are joined into paragraphs, because a PDF breaks them where the paper ends; short lines
(headings, lists, rows) stay on their own. No word is put together: a hyphen at a line's end
stays and the next line follows it at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from statistics import median

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from corpus.formats.canvas import Canvas, stem
from corpus.limits import DEFAULT, Limits
from corpus.parsed import Parsed, ParseFailure

_CONTROL = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")
_ITEM = re.compile(r"\s*([-*•▪◦‣–·]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_HYPHENS = "-\u2010\u00ad"
_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]")
_SHORT = 0.7  # of the usual full line: such a line ends something
_META = ("Author", "Subject", "Keywords", "CreationDate", "ModDate")


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """One document with page numbers; pages that fail are named in `pages_failed`."""
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        yield ParseFailure(name, _why(error, data))
        return
    with closing(document):
        yield _read(document, name, limits)


def _read(document: pdfium.PdfDocument, name: str, limits: Limits) -> Parsed | ParseFailure:
    count = len(document)
    if count > limits.pages:
        reason = f"{count} pages, the cap is {limits.pages}: split it"
        return ParseFailure(name, f"{reason} or raise PILOTFISH_LIMITS__PAGES")
    if not count:
        return ParseFailure(name, "truncated or damaged PDF (no pages): save or download it again")
    canvas, failed, silent = Canvas(), [], []
    for number in range(1, count + 1):
        canvas.page(number)
        try:
            text, drawn = _page_text(document, number - 1)
        except (pdfium.PdfiumError, ValueError, OSError):
            failed.append(number)
            continue
        for paragraph in paragraphs(text):
            canvas.block(paragraph)
        if drawn and not text.strip():
            silent.append(number)
    if len(failed) == count:
        return ParseFailure(name, "truncated or damaged PDF (no page can be read): save it again")
    if not canvas.text.strip():
        return ParseFailure(name, "no text layer (scanned?): run OCR first")
    return _parsed(document, name, canvas, failed, silent)


def _parsed(
    document: pdfium.PdfDocument, name: str, canvas: Canvas, failed: list[int], silent: list[int]
) -> Parsed:
    found = {key: _clean(value) for key, value in document.get_metadata_dict().items() if value}
    warnings = []
    if failed:
        warnings.append(f"{_pages(failed)} could not be read")
    if silent:
        warnings.append(f"{_pages(silent)} without a text layer (scanned?): run OCR first")
    return Parsed(
        None,
        found.get("Title", "").strip() or stem(name),
        canvas.text,
        "application/pdf",
        canvas.sections(),
        (),
        {key.lower(): found[key] for key in _META if found.get(key)} | {"pages": len(document)},
        tuple(warnings),
        tuple(failed),
    )


def _page_text(document: pdfium.PdfDocument, index: int) -> tuple[str, bool]:
    """The page's text as it stands, and whether anything is drawn on it."""
    with closing(document[index]) as page:
        with closing(page.get_textpage()) as layer:
            text = layer.get_text_bounded()
        return _clean(text), pdfium_c.FPDFPage_CountObjects(page) > 0


def _clean(text: str) -> str:
    """Newlines as \\n; PDFium's marks for a hyphen at a line's end as hyphens."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    return _CONTROL.sub("", re.sub("[\ufffe\uffff\x02]", "-", text))


def paragraphs(text: str) -> list[str]:
    """The lines of a page joined into paragraphs; a line that stays alone is one too."""
    lines = [line.strip() for line in text.split("\n")]
    lengths = sorted(len(line) for line in lines if line)
    full = median(lengths[len(lengths) // 2 :]) if lengths else 0
    blocks: list[str] = []
    previous = ""
    for line in lines:
        if line and previous and not _breaks(previous, line, full):
            blocks[-1] += _joint(previous, line) + line
        elif line:
            blocks.append(line)
        previous = line
    return blocks


def _breaks(previous: str, line: str, full: float) -> bool:
    """Whether a new paragraph begins: a bullet, or the line before ended early."""
    if _ITEM.match(line):
        return True
    return len(previous) < _SHORT * full and not line[0].islower()


def _joint(previous: str, line: str) -> str:
    if previous[-1] in _HYPHENS and previous[-2:-1].isalpha():
        return ""
    return "" if _CJK.match(previous[-1]) and _CJK.match(line[0]) else " "


def _why(error: pdfium.PdfiumError, data: bytes) -> str:
    code = getattr(error, "err_code", None)
    if code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
        return "encrypted PDF: save it without a password"
    if b"%%EOF" not in data[-2048:]:
        return "truncated PDF (its end is missing): save or download it again"
    return "truncated or damaged PDF: save or download it again"


def _pages(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:20])) + (", ..." if len(numbers) > 20 else "")
    return f"{'page' if len(numbers) == 1 else 'pages'} {shown}"
