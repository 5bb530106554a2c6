"""A parsed document as the database keeps it, and the hash that tells whether it changed.

Not here: parsing, cutting, storing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple

from corpus.parsed import Parsed, ParsedTable, ParsedTriple
from corpus.split import Cut, layout
from store.incoming import NewDocument, NewRow, NewTable, NewTriple


def record(key: str, source: str, sha256: str, parsed: Parsed, cut: Cut) -> NewDocument:
    """Everything of one document, ready to be stored; what was left out is among its warnings.

    `sha256` is its fingerprint.
    """
    return NewDocument(
        key=key, title=parsed.title, source=source, media_type=parsed.media_type,
        sha256=sha256, text=parsed.text, layout=layout(parsed),
        metadata=parsed.metadata, warnings=(*parsed.warnings, *left_out(cut)),
        passages=cut.passages, tables=tuple(_table(table) for table in parsed.tables),
        held=cut.held, triples=tuple(_triple(one) for one in parsed.triples),
    )  # fmt: skip


def fingerprint(parsed: Parsed) -> str:
    """sha256 over everything of a document that is stored."""
    tables = [[t.name, t.title, t.columns, t.rows, t.spans, t.numbers] for t in parsed.tables]
    fields = [parsed.title, parsed.text, parsed.media_type, layout(parsed), parsed.metadata, tables]
    if parsed.triples:
        fields.append([astuple(one) for one in parsed.triples])
    return hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest()


def left_out(cut: Cut) -> list[str]:
    """What cutting left out, for people to know; nothing where it left out nothing."""
    rows, held = cut.rows_left_out, cut.kept_out
    told = [f"{rows} table rows are kept as a table but not searched one by one"] if rows else []
    orders = f"{held} passages seem to give orders and are not searched: see pilotfish quarantine"
    return [*told, orders] if held else told


def _table(table: ParsedTable) -> NewTable:
    rows = zip(table.numbers, table.spans, table.rows, strict=True)
    new = tuple(NewRow(number, *span, cells) for number, span, cells in rows)
    return NewTable(table.name, table.title, table.columns, new)


def _triple(one: ParsedTriple) -> NewTriple:
    return NewTriple(one.subject, one.relation, one.object, one.start, one.end)
