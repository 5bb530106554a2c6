"""One sandbox for all tests of parsing, and the checks that hold for every document."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # made_documents and hostile_parsers

from corpus.parsed import Parsed, ParseFailure
from corpus.sandbox import Sandbox

Read = Callable[[bytes, str], Parsed]
Refuse = Callable[[bytes, str], str]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as one:
        yield one


@pytest.fixture
def read(sandbox: Sandbox) -> Read:
    """One document out of bytes, its offsets checked."""

    def parse(data: bytes, name: str) -> Parsed:
        (found,) = sandbox.parse(None, data, name)
        assert isinstance(found, Parsed), found
        check_offsets(found)
        return found

    return parse


@pytest.fixture
def refuse(sandbox: Sandbox) -> Refuse:
    """Why bytes are refused."""

    def parse(data: bytes, name: str) -> str:
        (found,) = sandbox.parse(None, data, name)
        assert isinstance(found, ParseFailure), found
        assert "\n" not in found.reason and "Traceback" not in found.reason
        return found.reason

    return parse


def check_offsets(found: Parsed) -> None:
    """Sections ordered, within the text and not blank at their ends; rows where they say."""
    last = 0
    for one in found.sections:
        assert last <= one.start < one.end <= len(found.text)
        quoted = found.text[one.start : one.end]
        assert quoted.strip() and quoted == quoted.rstrip()
        last = one.end
    for table in found.tables:
        assert len(set(table.columns)) == len(table.columns) and all(table.columns)
        assert len(table.rows) == len(table.spans) == len(table.numbers)
        for row, (start, end) in zip(table.rows, table.spans, strict=True):
            pairs = zip(table.columns, row, strict=True)
            line = "; ".join(f"{column}: {cell}" for column, cell in pairs if cell)
            assert found.text[start:end] == line
            assert any(one.start <= start and end <= one.end for one in found.sections)
