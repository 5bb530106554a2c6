"""Vector stores of LlamaIndex for tests: those of this process by name, and their usual faults.

What is opened by one name has the same content for everybody, as a server has. Not here: a real
server (pg_server.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llama_index.core.schema import BaseNode, TextNode
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    VectorStoreQuery,
    VectorStoreQueryResult,
)

SECRET = "hunter2-hunter2"
WIDTH = 5  # of a shallow store
known: dict[str, SimpleVectorStore] = {}
away: set[str] = set()  # names of stores that do not answer
calls: dict[str, list[str]] = {}  # of a store's name


class Noted(SimpleVectorStore):
    """One that may be away, and notes what is asked of it."""

    @property
    def name(self) -> str:
        return next(name for name, store in known.items() if store is self)

    def _met(self, call: str) -> None:
        calls.setdefault(self.name, []).append(call)
        if self.name in away:
            raise ConnectionError(f"postgres://me:{SECRET}@db refused, password={SECRET}\nmore")

    def add(self, nodes: Sequence[BaseNode], **more: Any) -> list[str]:
        self._met("add")
        return super().add(nodes, **more)

    def query(self, query: VectorStoreQuery, **more: Any) -> VectorStoreQueryResult:
        self._met("query")
        return super().query(query, **more)

    def delete_nodes(self, *given: Any, **more: Any) -> None:
        self._met("delete_nodes")
        super().delete_nodes(*given, **more)


class Old(Noted):
    """One that removes by source only."""

    def delete_nodes(self, *given: Any, **more: Any) -> None:
        raise NotImplementedError

    def delete(self, ref_doc_id: str, **more: Any) -> None:
        self._met("delete")
        super().delete(ref_doc_id, **more)


class Shallow(Noted):
    """As approximate indexes are: it filters the few nearest of all that it has."""

    def query(self, query: VectorStoreQuery, **more: Any) -> VectorStoreQueryResult:
        wide = VectorStoreQuery(query.query_embedding, WIDTH)
        nearest = super().query(wide, **more).ids or []
        passing = super().query(query, **more).ids or []
        kept = [one for one in nearest if one in passing]
        return VectorStoreQueryResult(ids=kept, similarities=[0.0] * len(kept))


class Blind(Noted):
    """As approximate indexes may: it never finds a vector equal to the one asked for, but lists."""

    def query(self, query: VectorStoreQuery, **more: Any) -> VectorStoreQueryResult:
        most = query.similarity_top_k
        found = super().query(replace(query, similarity_top_k=most + 5), **more)
        pairs = zip(found.ids or [], found.similarities or [], strict=True)
        kept = [(one, score) for one, score in pairs if score < 0.9999][:most]
        return VectorStoreQueryResult(ids=[i for i, _ in kept], similarities=[s for _, s in kept])

    def get_nodes(self, node_ids: list[str] | None = None, filters: Any = None) -> list[BaseNode]:
        (wanted,) = filters.filters
        listed = self.data.metadata_dict.items()
        return [TextNode(id_=i) for i, data in listed if data.get(wanted.key) == wanted.value]


class Distances(Noted):
    """One whose scores are distances: the lower the better."""

    def query(self, query: VectorStoreQuery, **more: Any) -> VectorStoreQueryResult:
        found = super().query(query, **more)
        found.similarities = [1.0 - one for one in found.similarities or []]
        return found


def opened(name: str, kind: str = "Noted") -> BasePydanticVectorStore:
    """The store of that name, empty when new."""
    kinds = {one.__name__: one for one in (Noted, Old, Shallow, Blind, Distances)}
    if name not in known:
        known[name] = kinds[kind]()
    return known[name]


def refuse(password: str) -> None:
    raise ValueError(f"no such user with {password}")


def nothing() -> str:
    return "no store"
