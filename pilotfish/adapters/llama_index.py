"""Pilotfish for LlamaIndex: our retrieval as its retriever, our answers as its query engine.

    pip install "pilotfish[llama-index]"
    with Client() as client:
        engine = PilotfishQueryEngine(client)
        print(engine.query("Within how many days may goods be returned?"))

Over a Client, so that the engine's modules never meet the user's. Not here: LlamaIndex's vector
stores as our dense index.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal, Unpack

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from pilotfish.client.client import Client, How
from pilotfish.client.results import Result
from pilotfish.types import Cells, Citation, Passage, Span

ABSTAINED = "The documents do not answer this."  # LlamaIndex prints "None" for no text


class PilotfishRetriever(BaseRetriever):
    """Nodes are our passages: text, score, and offsets into the stored document."""

    def __init__(
        self, client: Client, k: int = 10, *, where: str | None = None,
        retriever: Literal["fused", "bm25", "dense"] = "fused", collection: str | None = None,
        callback_manager: CallbackManager | None = None,
    ) -> None:  # fmt: skip
        super().__init__(callback_manager=callback_manager)
        self._client, self._k, self._where = client, k, where
        self._kind: Literal["fused", "bm25", "dense"] = retriever
        self._collection = collection

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._client.search(
            query_bundle.query_str, self._k, retriever=self._kind, where=self._where,
            collection=self._collection,
        )  # fmt: skip
        return [_node_of_passage(one) for one in found]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class PilotfishQueryEngine(BaseQueryEngine):
    """Answers with cited sentences: source nodes are the quotes, metadata says what carries what.

    `how` as in `Client.ask`: collection, where, recipe, model, ...
    """

    def __init__(
        self, client: Client, *, callback_manager: CallbackManager | None = None,
        **how: Unpack[How],
    ) -> None:  # fmt: skip
        super().__init__(callback_manager=callback_manager)
        self._client, self._how = client, how

    def _query(self, query_bundle: QueryBundle) -> Response:
        return _response(self._client.ask(query_bundle.query_str, **self._how))

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


def _response(found: Result) -> Response:
    metadata = {
        "status": found.status, "support": found.support, "model": found.model,
        "degraded": found.degraded, "candidate": found.candidate, "job": found.job,
        "citations": [asdict(one) for one in found.citations], "receipt": asdict(found.receipt),
    }  # fmt: skip
    nodes = [_node_of_citation(one) for one in found.citations]
    return Response(found.answer or ABSTAINED, source_nodes=nodes, metadata=metadata)


def _node_of_passage(one: Passage) -> NodeWithScore:
    """A passage; its place is metadata that neither LLM nor embedding of LlamaIndex reads."""
    metadata = {
        "document": one.document, "title": one.title, "kind": one.kind, "page": one.place.page,
        "heading": list(one.place.heading),
    }  # fmt: skip
    node = _node(str(one.id), one.text, metadata, (one.start, one.end))
    return NodeWithScore(node=node, score=one.score)


def _node_of_citation(one: Citation) -> NodeWithScore:
    source = one.source
    metadata: dict[str, Any] = {"sentence": list(one.sentence)}
    more: dict[str, Any]
    if isinstance(source, Span):
        more = {"document": source.document, "page": source.place.page}
        name = f"{source.document}:{source.start}-{source.end}"
        node = _node(name, source.quote, metadata | more, (source.start, source.end))
    elif isinstance(source, Cells):
        text = "; ".join(", ".join(row) for row in source.values)
        more = {"document": source.document, "table": source.table, "rows": list(source.rows)}
        node = _node(f"{source.document}:{source.table}:{source.rows}", text, metadata | more)
    else:
        text = f"{source.subject} {source.relation} {source.object}"
        node = _node(f"{source.document}:{text}", text, {**metadata, "document": source.document})
    return NodeWithScore(node=node, score=one.support)


def _node(
    name: str, text: str, metadata: Mapping[str, Any], span: tuple[int, int] | None = None
) -> TextNode:
    start, end = span or (None, None)
    return TextNode(
        id_=name, text=text, metadata={k: v for k, v in metadata.items() if v not in (None, [])},
        start_char_idx=start, end_char_idx=end,
    )  # fmt: skip
