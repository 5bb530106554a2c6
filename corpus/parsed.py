"""What a parser hands back: canonical text and exact places in it. Not here: any parsing.

Every offset counts Unicode code points of `Parsed.text`, start included, end excluded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TABLE = "application/x-tables"  # found as one thing by its card, not row by row
MANUAL = "text/x-manual"  # a page of a command or function: its passages are of that kind


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the canonical text under one heading path and on one page.

    `page` is 1-based (the slide number for PPTX), None where a format has no pages.
    The heading line itself lies outside the span. Rows of tables lie inside it.
    """

    start: int
    end: int
    heading: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class ParsedTable:
    """One table: `spans[i]` is where row i stands in the text as `Header: value; ...`.

    `columns` are unique and never empty; every row is as long as `columns`;
    `numbers[i]` is the 1-based number of row i in its source (the header row counts).
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    spans: tuple[tuple[int, int], ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ParsedTriple:
    """One edge of a graph; [start, end) of the text carries it."""

    subject: str
    relation: str
    object: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """One document. `id` only where a file holds many (JSON lines); no two tables of one name."""

    id: str | None
    title: str
    text: str
    media_type: str
    sections: tuple[Section, ...] = ()
    tables: tuple[ParsedTable, ...] = ()
    metadata: dict[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    pages_failed: tuple[int, ...] = ()
    triples: tuple[ParsedTriple, ...] = ()


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """A document that could not be read. `reason` is one line: the value and the mend."""

    source: str
    reason: str
