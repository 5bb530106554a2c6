"""A place in a document as the page shows it: text cut into plain, lit and quoted pieces.

What is marked is the document's own text: a quote that is not there is not marked. Not here:
statements (store/reading.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilotfish.errors import NotFound
from store import reading
from store.reading import Row
from workers.asked import Who
from workers.jobs import Jobs

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Lines that were broken only because a page was full; a row of a table never is.
_BROKEN = re.compile(r"^(?!\s*(?:[#|>*+-]|\d+[.)]))([^\n;]{50,}[^\n;.:!?])\n(?=[^\W\d_(])", re.M)
REACH = 4000  # characters shown before and after a passage
BLOCK = 40_000  # characters of one page of a document


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text. `mark`: "" or "passage" (lit lightly) or "quote" (dark)."""

    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What the source pane shows."""

    document: str
    title: str
    file: str
    start: int
    end: int
    characters: int
    pieces: list[Piece]
    cut_before: bool
    cut_after: bool
    columns: list[str]
    rows: list[tuple[Row, bool]]  # (row, whether it is lit)


def source_of(jobs: Jobs, who: Who, collection: str, one: Mapping[str, Any]) -> Source:
    """The surroundings of a citation, or (without a quote) of a passage; NotFound when removed."""
    with jobs.database.read() as connection:
        found = jobs.holdings.find(connection, who, collection)
        key = str(one["document"])
        start, end = _place(connection, found, one)
        lit = reading.passage_around(connection, found, key, start, end)
        text = reading.stretch(connection, found, key, lit[0] - REACH, lit[1] + REACH)
        table = (found, key, str(one.get("table") or ""))
        columns, rows = reading.rows_around(connection, table, start, end) if table[2] else ([], [])
    quote = one.get("quote")
    true = quote is not None and text.text[start - text.start : end - text.start] == quote
    return Source(
        key, text.title or key, text.source, start, end, text.characters,
        pieces(text.text, text.start, lit, (start, end) if true else None),
        text.start > 0, text.start + len(text.text) < text.characters,
        columns, [(row, _lit(row, one, (start, end))) for row in rows],
    )  # fmt: skip


def _place(connection: Connection, collection: int, one: Mapping[str, Any]) -> tuple[int, int]:
    """Where a citation is written; of cells that are told by row: the first row."""
    if "start" in one:
        return int(one["start"]), int(one["end"])
    place = (collection, str(one["document"]), str(one.get("table") or ""))
    rows = one.get("rows") or [0]
    found = reading.row_span(connection, place, int(rows[0]))
    if found is None:
        raise NotFound(f"row {rows[0]} of {place[2]!r} is not there: the table was changed")
    return found


def _lit(row: Row, one: Mapping[str, Any], place: tuple[int, int]) -> bool:
    """Whether a row is what is cited."""
    if one.get("rows"):
        return row.number in one["rows"]
    return row.start < place[1] and row.end > place[0]


def pieces(
    text: str, at: int, lit: tuple[int, int], quote: tuple[int, int] | None
) -> list[Piece]:  # fmt: skip
    """The text, whose first character is the document's `at`-th, cut at passage and quote.

    Prose flows: a line break inside a sentence is shown as a space, everything else as it is.
    """
    end, text = at + len(text), _BROKEN.sub(r"\1 ", text)
    inner = quote or (lit[1], lit[1])
    cuts = [at, lit[0], inner[0], inner[1], lit[1], end]
    marks = ("", "passage", "quote", "passage", "")
    clipped = [min(max(cut, at), end) for cut in cuts]
    cut = [Piece(text[a - at : b - at], mark)
           for a, b, mark in zip(clipped, clipped[1:], marks, strict=False)]  # fmt: skip
    return [piece for piece in cut if piece.text]
