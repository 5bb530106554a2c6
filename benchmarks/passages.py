"""A collection's passages and vectors, read from its database: what the peers are given too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    from store import passages

    collection = library.collection()
    since = passages.Since(collection.id, 0, collection.revision)
    with library.database.read() as connection:
        rows = list(passages.added_since(connection, since))
        keys = passages.document_keys(connection, [row[0] for row in rows])
    return [Piece(i, keys[i], passages.joined(context, text)) for i, context, text in rows]


def vectors(library: Library) -> Vectors:
    """Their stored vectors, in the same order."""
    from store import passages

    collection = library.collection()
    since = passages.Since(collection.id, 0, collection.revision)
    with library.database.read() as connection:
        rows = list(passages.vectors_since(connection, since, library.encoder.fingerprint))
    flat = np.frombuffer(b"".join(blob for _, blob in rows), dtype="<f2")
    return flat.reshape(len(rows), -1).astype(np.float32)


def best_documents(documents: Sequence[str], order: Sequence[int], k: int = 100) -> list[str]:
    """Documents by their best passage, given passage numbers best first."""
    return list(dict.fromkeys(documents[number] for number in order))[:k]
