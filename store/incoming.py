"""A document as it comes in: its text, passages and tables, before any of them has an id.

Not here: storing them (documents.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GRAPH = "application/x-triples"  # media type of documents whose lines are edges ...
BETWEEN = " — "  # ... written with this between subject, relation, object


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage to be stored; its revision is given by the transaction."""

    start: int
    end: int
    kind: str
    page: int | None
    heading: tuple[str, ...]
    table_name: str | None
    row: int | None
    context: str
    text: str
    embed_sha: str
    reach: int | None = None


@dataclass(frozen=True, slots=True)
class NewTriple:
    """One edge and the span of the document's text that carries it."""

    subject: str
    relation: str
    object: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class NewHeld:
    """A passage for the quarantine: the document's [start, end) within it gives an order."""

    passage: NewPassage
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class NewRow:
    """One row of a table: its number in the source and its span in the document's text."""

    number: int
    start: int
    end: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewTable:
    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[NewRow, ...]


@dataclass(frozen=True, slots=True)
class NewDocument:
    """Everything of one document. `sha256` is over its content, not its file."""

    key: str
    title: str
    source: str
    media_type: str
    sha256: str
    text: str
    layout: list[list[object]]
    metadata: Mapping[str, object]
    warnings: tuple[str, ...]
    passages: tuple[NewPassage, ...]
    tables: tuple[NewTable, ...]
    held: tuple[NewHeld, ...] = ()
    triples: tuple[NewTriple, ...] = ()
