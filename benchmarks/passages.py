"""A collection's passages and vectors, read from its database: what the peers are given too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipeline.library import Library

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Piece:
    """One passage; `searched` is what every encoder and index reads: title, line break, text."""

    id: int
    document: str
    searched: str


def pieces(library: Library) -> list[Piece]:
    """All passages of the collection, by id."""
    from store.schema import documents as d
    from store.schema import passages as p

    rows = _rows(library, p.c.id, d.c.key, p.c.context, p.c.text)
    return [Piece(i, key, f"{above}\n{text}" if above else text) for i, key, above, text in rows]


def vectors(library: Library) -> Vectors:
    """Their stored vectors, in the same order."""
    from sqlalchemy import select

    from store.schema import passages as p
    from store.schema import vectors as v

    with library.database.read() as connection:
        query = select(v.c.embed_sha, v.c.vector).where(v.c.encoder == library.encoder.fingerprint)
        blobs = {row.embed_sha: row.vector for row in connection.execute(query)}
    flat = b"".join(blobs[sha] for (sha,) in _rows(library, p.c.embed_sha))
    rows = np.frombuffer(flat, dtype="<f2").astype(np.float32)
    return rows.reshape(-1, library.encoder.dimension)


def _rows(library: Library, *columns: Any) -> list[Any]:
    """These columns of passages and their documents, by passage id."""
    from sqlalchemy import select

    from store.schema import documents as d
    from store.schema import passages as p

    query = select(*columns).join_from(p, d, d.c.id == p.c.document_id)
    query = query.where(p.c.collection_id == library.collection().id).order_by(p.c.id)
    with library.database.read() as connection:
        return list(connection.execute(query))


def best_documents(documents: Sequence[str], order: Sequence[int], k: int = 100) -> list[str]:
    """Documents by their best passage, given passage numbers best first."""
    return list(dict.fromkeys(documents[number] for number in order))[:k]
