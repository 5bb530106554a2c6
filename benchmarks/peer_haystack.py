"""Haystack 3 on the same weights and passages: in-memory BM25 and embedding retrieval, joined.

Imported only inside child processes that measure it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.passages import Piece, Vectors


def pipeline(pieces: Sequence[Piece], vectors: Vectors, depth: int, k: int) -> Any:
    """The usual hybrid pipeline; `search` runs it."""
    from haystack import Pipeline
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import (
        InMemoryBM25Retriever,
        InMemoryEmbeddingRetriever,
    )

    store = _store(pieces, vectors)
    made = Pipeline()
    made.add_component("embedder", _embedder())
    made.add_component("nearest", InMemoryEmbeddingRetriever(document_store=store, top_k=depth))
    made.add_component("lexical", InMemoryBM25Retriever(document_store=store, top_k=depth))
    made.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=k))
    made.connect("embedder.embedding", "nearest.query_embedding")
    made.connect("nearest.documents", "joiner.documents")
    made.connect("lexical.documents", "joiner.documents")
    return made


def search(made: Any, query: str) -> list[int]:
    """Passage ids, best first."""
    found = made.run({"embedder": {"text": query}, "lexical": {"query": query}})
    return [int(document.id) for document in found["joiner"]["documents"]]


def _store(pieces: Sequence[Piece], vectors: Vectors) -> Any:
    from haystack import Document
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore(return_embedding=False)
    store.write_documents(
        [
            Document(id=str(piece.id), content=piece.searched, embedding=vector.tolist())
            for piece, vector in zip(pieces, vectors, strict=True)
        ]
    )
    return store


def _embedder() -> Any:
    from haystack.utils import ComponentDevice
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersTextEmbedder,
    )

    from models.weights import packaged_folder

    embedder = SentenceTransformersTextEmbedder(
        model=str(packaged_folder()),
        device=ComponentDevice.from_str("cpu"),
        progress_bar=False,
        normalize_embeddings=True,
    )
    embedder.warm_up()
    return embedder
