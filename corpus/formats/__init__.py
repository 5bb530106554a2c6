"""Which parser reads a file: by its extension, corrected by its first bytes. Not here: parsing."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from corpus.limits import OLE_MAGIC
from corpus.parsed import ParseFailure

BY_EXTENSION = {
    **dict.fromkeys((".md", ".markdown"), "markdown"),
    **dict.fromkeys((".txt", ".text", ".rst", ".log"), "plain"),
    **dict.fromkeys((".html", ".htm"), "html"),
    ".pdf": "pdf",
    ".docx": "docx",
    ".pptx": "pptx",
    **dict.fromkeys((".xlsx", ".xlsm", ".csv", ".tsv"), "sheet"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
    **dict.fromkeys((".nt", ".ttl", ".rdf", ".owl", ".jsonld"), "rdf"),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db"), "sqlite_file"),
}
BY_ENDING = {".triples.tsv": "triples", ".triples.csv": "triples", ".tables.jsonl": "tables_jsonl"}
SUPPORTED = " ".join((*BY_EXTENSION, *BY_ENDING))

SQLITE = b"SQLite format 3\0"
_MAN = re.compile(r"\.(?:[1-9][a-z]{0,4}|man)(?:\.gz)?$", re.I)
_ROFF = re.compile(rb"^[.'](?:TH|Dd|so|SH|Sh) ", re.M)
_OFFICE = ((b"word/", "docx"), (b"ppt/", "pptx"), (b"xl/", "sheet"))
_HTML = re.compile(rb"<(!doctype html|html|head|body)\b", re.I)
_BINARY = {
    b"\x89PNG": "a PNG image: run OCR first",
    b"\xff\xd8\xff": "a JPEG image: run OCR first",
    b"GIF8": "a GIF image: run OCR first",
    b"II*\0": "a TIFF image: run OCR first",
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"Rar!": "a RAR archive: unpack it first",
    b"{\\rtf": "a rich text file: save it as .docx",
}


def parser_for(name: str, head: bytes) -> str | ParseFailure:
    """The dotted name of the parser for a file called `name` that starts with `head`.

    Content outranks the extension where it is unmistakable (a PDF named .txt). An unknown
    extension is read as text, if the bytes look like it.
    """
    if (documentation := _documentation(name, head)) is not None:
        return f"corpus.formats.{documentation}.parse"
    ending = next((kind for end, kind in BY_ENDING.items() if name.lower().endswith(end)), None)
    kind = ending or BY_EXTENSION.get(PurePosixPath(name).suffix.lower())
    if b"%PDF-" in head[:1024]:
        kind = kind if kind == "jsonl" or (kind == "plain" and _quotes_pdf(head)) else "pdf"
    elif head.startswith(SQLITE):
        kind = "sqlite_file"
    elif head.startswith(OLE_MAGIC):
        reason = "encrypted or old binary Office file: save it as .docx, .xlsx or .pptx"
        return ParseFailure(name, reason)
    elif head.startswith(b"PK\x03\x04"):
        kind = kind if kind in ("docx", "pptx", "sheet") else None
        kind = next((found for mark, found in _OFFICE if mark in head), kind)
        if kind is None:
            return ParseFailure(name, "a zip archive: unpack it first")
    elif reason := next((why for mark, why in _BINARY.items() if head.startswith(mark)), ""):
        return ParseFailure(name, reason)
    if kind is None:
        kind = _sniff_text(head)
    if kind is None:
        return ParseFailure(name, f"unknown kind of file; supported: {SUPPORTED}")
    return f"corpus.formats.{kind}.parse"


def _documentation(name: str, head: bytes) -> str | None:
    """Source of a Python package, which only `add py:NAME` names so; a page in roff: `find.1.gz`.

    A log called `today.1` holds no roff.
    """
    if name.startswith("py:"):
        return "docstrings"
    packed = head.startswith(b"\x1f\x8b") and name.lower().endswith(".gz")
    return "man" if _MAN.search(name) and (packed or _ROFF.search(head)) else None


def _quotes_pdf(head: bytes) -> bool:
    """Whether text merely mentions the PDF mark: a real one starts its line, near the top."""
    return not re.search(rb"(?:\A|[\r\n\0\xbf])%PDF-\d", head[:1024])


def _sniff_text(head: bytes) -> str | None:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and _HTML.search(head):
        return "html"
    marked = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    controls = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head)
    if not marked and controls > max(2, len(head) // 50):
        return None
    return "jsonl" if _is_json_line(head) else "plain"


def _is_json_line(head: bytes) -> bool:
    line = head.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0]
    if not line.startswith(b"{"):
        return False
    try:
        return "text" in json.loads(line)
    except (ValueError, RecursionError):
        return bool(re.match(rb'\{\s*"[^"]*"\s*:.*"text"\s*:', line))
