"""What crosses the pipe from a parser's child, and what is refused on arrival."""

from __future__ import annotations

import json

import pytest

from corpus import wire
from corpus.parsed import Parsed, ParsedTable, Section


def table(name: str, start: int) -> ParsedTable:
    return ParsedTable(name, "T", ("k",), (("v",),), ((start, start + 4),), (2,))


def document(*names: str, **metadata: object) -> Parsed:
    tables = tuple(table(name, 5 * at) for at, name in enumerate(names))
    text = "\n".join("k: v" for _ in names) or "text"
    return Parsed("a", "T", text, "text/csv", (Section(0, len(text)),), tables, metadata)


def crossed(packed: bytes) -> object:
    kind, length = wire.head(packed[: wire.HEAD_SIZE])
    assert length == len(packed) - wire.HEAD_SIZE
    return wire.unpack(kind, packed[wire.HEAD_SIZE :])


def test_a_document_arrives_as_it_was_sent() -> None:
    sent = document("one", "two", year=2020, deep={"a": [None, 1.5, True]})
    assert crossed(wire.pack(sent)) == sent


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_no_infinite_number_is_sent(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        wire.pack(document(n=number))


@pytest.mark.parametrize("digits", ["1e999", "-1e999", "Infinity", "-Infinity", "NaN"])
def test_no_infinite_number_is_taken(digits: str) -> None:
    payload = wire.pack(document(n=12345))[wire.HEAD_SIZE :].replace(b"12345", digits.encode())
    with pytest.raises(wire.BrokenFrameError):
        wire.unpack(wire.DOCUMENT, payload)
    assert isinstance(json.loads(payload), list)  # it is only the number that is refused


def test_two_tables_of_one_name_are_not_taken() -> None:
    with pytest.raises(wire.BrokenFrameError, match="two tables of one name"):
        crossed(wire.pack(document("one", "one")))
