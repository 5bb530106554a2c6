"""Bytes to text: byte order marks, UTF-8, then a guess that is reported. Not here: markup.

Newlines become \\n. The guess is charset-normalizer's, or Windows-1252 where
that reads the same, and where a few accents give statistics too little to go by.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 32_768
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FEW = 16


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text, and what the user should know about how it was read."""

    text: str
    warnings: tuple[str, ...] = ()


def decode(data: bytes, declared: str | None = None) -> Decoded | str:
    """The text of `data`, or why it has none. `declared`: an encoding the file itself names."""
    text, warnings = _decode(data, declared)
    text = normalise_newlines(_SURROGATE.sub("\ufffd", text))
    nuls, controls = text.count("\0"), len(_CONTROL.findall(text, 0, 1_000_000))
    if nuls > max(_FEW, len(text) // 1000) or controls > max(4, min(len(text), 1_000_000) // 50):
        return "binary content, not text: name it by its kind (.pdf, .docx, ...) or convert it"
    if nuls:
        warnings += (f"{nuls} NUL characters removed",)
        text = text.replace("\0", "")
    return Decoded(text, warnings)


def normalise_newlines(text: str) -> str:
    """CR LF and CR made LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _decode(data: bytes, declared: str | None) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], encoding)
    if unmarked := _utf16_without_mark(data[:_SAMPLE]):
        text, warnings = _lenient(data, unmarked)
        return text, (*warnings, f"encoding guessed: {unmarked}")
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        pass
    if declared and _known(declared):
        return _lenient(data, declared)
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    if sum(ch > "\x7f" for ch in text[:1_000_000]) - bad > 9 * bad:
        return text, (f"{bad} bytes are not UTF-8: replaced",)
    encoding = _guess(data)
    text, warnings = _lenient(data, encoding)
    return text, (f"not UTF-8, encoding guessed: {encoding}", *warnings)


def _lenient(data: bytes, encoding: str) -> tuple[str, tuple[str, ...]]:
    try:
        return data.decode(encoding), ()
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        return text, (f"some bytes are not {encoding}: replaced",)


def _known(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding)._is_text_encoding
    except (LookupError, ValueError):
        return False


def _utf16_without_mark(sample: bytes) -> str | None:
    """Western text in UTF-16 has a NUL in nearly every other byte."""
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > 0.6 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.6 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _guess(data: bytes) -> str:
    first = next((at for at, byte in enumerate(data[:4_000_000]) if byte > 127), 0)
    sample = data[max(0, first - _SAMPLE // 4) :][:_SAMPLE]
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    if best is None:
        return "cp1252"
    if not _decodes(sample, "cp1252"):
        return best.encoding
    high = sum(byte > 127 for byte in sample)
    unsure = high < 50 and high < 0.2 * len(sample)
    same = sample.decode(best.encoding, "replace") == sample.decode("cp1252")
    return "cp1252" if unsure or same else best.encoding


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
