"""The sections of a collection's manuals, page by page. Not here: which documents are manuals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from store.schema import documents, passages


@dataclass(frozen=True, slots=True)
class ManualSection:
    """One passage of a manual. `platform`: what the document's metadata say, or ""."""

    id: int
    document: str
    title: str
    platform: str
    heading: tuple[str, ...]
    text: str


def sections(connection: Connection, collection_id: int) -> Iterator[ManualSection]:
    """All of them; those of one document follow each other, in the order of its text."""
    p, d = passages.c, documents.c
    query = (
        select(p.id, d.key, d.title, d.metadata, p.heading, p.text)
        .join_from(passages, documents, d.id == p.document_id)
        .where(p.collection_id == collection_id, p.kind == "manual")
        .order_by(d.id, p.start)
    )
    for i, document, title, metadata, heading, text in connection.execute(query):
        platform = str((metadata or {}).get("platform") or "").casefold()
        yield ManualSection(i, document, title, platform, tuple(heading), text)
