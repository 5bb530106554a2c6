"""Vectors of single passages, for who must not rely on an index (retrievers/dense_llama.py).

Not here: those of all that came since (passages.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from store.passages import chunks
from store.schema import passages, vectors


def of_passages(
    connection: Connection, encoder: str, ids: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """(passage id, float16 vector) of those of these passages that exist and have one."""
    query = (
        select(passages.c.id, vectors.c.vector)
        .join_from(passages, vectors, vectors.c.embed_sha == passages.c.embed_sha)
        .where(vectors.c.encoder == encoder)
    )
    for some in chunks(ids):
        for row in connection.execute(query.where(passages.c.id.in_(some))):
            yield row.id, row.vector
