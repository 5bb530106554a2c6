"""LlamaIndex on the same weights and passages: its vector index, its BM25, its fusion.

Imported only inside child processes that measure it. No LLM: a MockLLM stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.passages import Piece, Vectors

DEFAULT_BATCH = 10


def embedding(batch: int = DEFAULT_BATCH) -> Any:
    """HuggingFaceEmbedding (sentence-transformers on torch) with the packaged weights."""
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    from models.weights import packaged_folder

    folder = str(packaged_folder())
    return HuggingFaceEmbedding(model_name=folder, embed_batch_size=batch, device="cpu")


def nodes(pieces: Sequence[Piece], vectors: Vectors | None = None) -> list[Any]:
    """One TextNode a passage; with vectors, theirs is the same as ours."""
    from llama_index.core.schema import TextNode

    made = [TextNode(text=p.searched, id_=str(p.id)) for p in pieces]
    if vectors is not None:
        for node, vector in zip(made, vectors, strict=True):
            node.embedding = vector.tolist()
    return made


def index(made: list[Any], model: Any) -> Any:
    """VectorStoreIndex; embeds the nodes that have no vector yet."""
    from llama_index.core import Settings, VectorStoreIndex
    from llama_index.core.llms import MockLLM

    Settings.llm = MockLLM()
    return VectorStoreIndex(made, embed_model=model)


def fusion(vector_index: Any, lexical: Any, depth: int, k: int) -> Any:
    """QueryFusionRetriever without query generation, reciprocal rank fusion."""
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.retrievers.fusion_retriever import FUSION_MODES

    nearest = vector_index.as_retriever(similarity_top_k=depth)
    return QueryFusionRetriever(
        [nearest, lexical],
        llm=MockLLM(),
        num_queries=1,
        mode=FUSION_MODES.RECIPROCAL_RANK,
        similarity_top_k=k,
        use_async=False,
    )


def lexical(made: list[Any], depth: int) -> Any:
    from llama_index.retrievers.bm25 import BM25Retriever

    return BM25Retriever.from_defaults(nodes=made, similarity_top_k=depth)


def persist(pieces: Sequence[Piece], vectors: Vectors, folder: Path, depth: int) -> None:
    """Write index and BM25 retriever as LlamaIndex keeps them on disk."""
    made = nodes(pieces, vectors)
    index(made, embedding()).storage_context.persist(str(folder / "index"))
    (folder / "bm25").mkdir(parents=True, exist_ok=True)
    for node in made:
        node.embedding = None
    lexical(made, depth).persist(str(folder / "bm25"))


def load(folder: Path, depth: int, k: int) -> Any:
    """The persisted fusion retriever, opened anew."""
    from llama_index.core import Settings, StorageContext, load_index_from_storage
    from llama_index.core.llms import MockLLM
    from llama_index.retrievers.bm25 import BM25Retriever

    Settings.llm = MockLLM()
    context = StorageContext.from_defaults(persist_dir=str(folder / "index"))
    stored = load_index_from_storage(context, embed_model=embedding())
    return fusion(stored, BM25Retriever.from_persist_dir(str(folder / "bm25")), depth, k)


def sub_questions(vector_index: Any, url: str, key: str, k: int) -> Any:
    """SubQuestionQueryEngine over the index, its defaults but for the number of passages."""
    from llama_index.core.query_engine import SubQuestionQueryEngine
    from llama_index.core.question_gen import LLMQuestionGenerator
    from llama_index.core.tools import QueryEngineTool
    from llama_index.llms.openai_like import OpenAILike

    llm = OpenAILike(model="test-model", api_base=url, api_key=key, is_chat_model=True,
                     context_window=128_000)  # fmt: skip
    tool = QueryEngineTool.from_defaults(
        vector_index.as_query_engine(similarity_top_k=k, llm=llm),
        name="documents", description="articles of an encyclopedia",
    )  # fmt: skip
    return SubQuestionQueryEngine.from_defaults(
        [tool], llm=llm, question_gen=LLMQuestionGenerator.from_defaults(llm=llm), verbose=False
    )
