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


def multi_query(pieces: Sequence[Piece], vectors: Vectors, url: str, key: str, k: int) -> Any:
    """QueryExpander, MultiQueryEmbeddingRetriever, one prompt; `answer` runs it."""
    from haystack import Pipeline
    from haystack.components.builders import ChatPromptBuilder
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.components.query import QueryExpander
    from haystack.components.retrievers import MultiQueryEmbeddingRetriever
    from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
    from haystack.dataclasses import ChatMessage
    from haystack.utils import Secret

    def llm() -> Any:
        return OpenAIChatGenerator(
            api_key=Secret.from_token(key), model="test-model", api_base_url=url
        )

    nearest = InMemoryEmbeddingRetriever(document_store=_store(pieces, vectors), top_k=k)
    template = ChatMessage.from_user(
        "Given these documents, answer the question.\nDocuments:\n"
        "{% for doc in documents %}{{ doc.content }}\n{% endfor %}\n"
        "Question: {{ question }}\nAnswer:"
    )
    made = Pipeline()
    made.add_component("expander", QueryExpander(chat_generator=llm()))
    made.add_component(
        "retriever", MultiQueryEmbeddingRetriever(retriever=nearest, query_embedder=_embedder())
    )
    made.add_component("prompt", ChatPromptBuilder([template], required_variables="*"))
    made.add_component("llm", llm())
    made.connect("expander.queries", "retriever.queries")
    made.connect("retriever.documents", "prompt.documents")
    made.connect("prompt.prompt", "llm.messages")
    return made


def answer(made: Any, question: str) -> str:
    """What the multi-query pipeline says."""
    found = made.run({"expander": {"query": question}, "prompt": {"question": question}})
    return str(found["llm"]["replies"][0].text)
