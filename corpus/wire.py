"""Documents as JSON in length-prefixed frames between a parser's child and us.

The child may be under a document's control: nothing here unpickles, and every shape, offset
and length is checked on arrival. Not here: sockets and processes.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any, NoReturn

from corpus.parsed import Parsed, ParsedTable, ParsedTriple, ParseFailure, Section

_HEAD = struct.Struct("!cI")
HEAD_SIZE = _HEAD.size
LARGEST = 1 << 30

DOCUMENT, FAILURE, REQUEST = b"D", b"F", b"R"


class BrokenFrameError(ValueError):
    """A frame is not what we send."""


def frame(kind: bytes, content: object) -> bytes:
    """One frame: kind, length, JSON."""
    payload = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    packed = payload.encode("utf-8", "replace")  # a lone surrogate becomes one "?": offsets stay
    if len(packed) > LARGEST:
        raise BrokenFrameError(f"a result of {len(packed) >> 20} MB is too large: split it")
    return _HEAD.pack(kind, len(packed)) + packed


def head(packed: bytes) -> tuple[bytes, int]:
    """Kind and length of the frame that follows."""
    kind, length = _HEAD.unpack(packed)
    if length > LARGEST:
        raise BrokenFrameError(f"frame of {length} bytes")
    return kind, length


def content(payload: bytes) -> Any:
    """The JSON of a frame. No infinite number: stored, it would not be JSON any more."""
    try:
        return json.loads(payload, parse_float=_finite, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BrokenFrameError("not JSON of ours") from error


def pack(item: Parsed | ParseFailure) -> bytes:
    """A parser's result as a frame."""
    if isinstance(item, ParseFailure):
        return frame(FAILURE, [item.source, item.reason])
    sections = [(one.start, one.end, one.heading, one.page) for one in item.sections]
    tables = [
        (one.name, one.title, one.columns, one.rows, one.spans, one.numbers) for one in item.tables
    ]
    fields = (item.id, item.title, item.text, item.media_type, sections, tables)
    edges = [(t.subject, t.relation, t.object, t.start, t.end) for t in item.triples]
    return frame(DOCUMENT, (*fields, item.metadata, item.warnings, item.pages_failed, edges))


def unpack(kind: bytes, payload: bytes) -> Parsed | ParseFailure:
    """The result of a frame; raises `BrokenFrameError` where anything does not fit."""
    value = content(payload)
    try:
        if kind == FAILURE:
            source, reason = value
            return ParseFailure(_string(source), " ".join(_string(reason).split()))
        if kind == DOCUMENT:
            return _document(value)
    except (ValueError, TypeError, KeyError) as error:
        raise BrokenFrameError(str(error)) from error
    raise BrokenFrameError(f"frame of kind {kind!r}")


def _document(value: Any) -> Parsed:
    identity, title, text, media_type, sections, tables, metadata, warnings, failed, edges = value
    if not isinstance(metadata, dict):
        raise BrokenFrameError("metadata is no object")
    size = len(_string(text))
    laid = tuple(_table(one, text) for one in tables)
    if len({one.name for one in laid}) < len(laid):
        raise BrokenFrameError("two tables of one name")
    return Parsed(
        None if identity is None else _string(identity),
        _string(title),
        text,
        _string(media_type),
        _sections(sections, size),
        laid,
        metadata,
        _strings(warnings),
        tuple(_whole(page) for page in failed),
        tuple(_triple(one, size) for one in edges),
    )


def _triple(value: Any, size: int) -> ParsedTriple:
    subject, relation, other, start, end = value
    if not _whole(start) < _whole(end) <= size:
        raise BrokenFrameError("an edge lies outside the text")
    return ParsedTriple(_string(subject), _string(relation), _string(other), start, end)


def _sections(value: Any, size: int) -> tuple[Section, ...]:
    found, last = [], 0
    for start, end, heading, page in value:
        if not last <= _whole(start) < _whole(end) <= size:
            raise BrokenFrameError(f"section {start}-{end} in a text of {size}")
        number = None if page is None else _whole(page)
        found.append(Section(start, end, _strings(heading), number))
        last = end
    return tuple(found)


def _table(value: Any, text: str) -> ParsedTable:
    name, title, columns, rows, spans, numbers = value
    names, size = _strings(columns), len(text)
    cells = tuple(_strings(row) for row in rows)
    places = tuple((_whole(start), _whole(end)) for start, end in spans)
    counted = tuple(_whole(number) for number in numbers)
    if not len(cells) == len(places) == len(counted):
        raise BrokenFrameError("rows, spans and numbers differ in length")
    if any(len(row) != len(names) for row in cells):
        raise BrokenFrameError("a row is not as long as the columns")
    if any(not start < end <= size for start, end in places):
        raise BrokenFrameError("a row lies outside the text")
    return ParsedTable(_string(name), _string(title), names, cells, places, counted)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def _no_number(digits: str) -> NoReturn:
    raise ValueError(f"{digits[:20]} for a number")


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise BrokenFrameError(f"{type(value).__name__} for a string")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(_string(one) for one in value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BrokenFrameError(f"{value!r} for a place")
    return value
