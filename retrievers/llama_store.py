"""One LlamaIndex vector store, used as sets of vectors under names; the only file that calls one.

Nodes carry no text, and an id made of the set's name and the passage's id: sets of several
collections, workspaces and encoders may share a table, also in stores that take nothing but
UUIDs. Whatever a store raises becomes `Unavailable` (away) or `SettingsError` (not as it is
configured). Not here: what is put in and looked for (dense_llama.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import json
import re
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilotfish.errors import PilotfishError, SettingsError, Unavailable
from pilotfish.redact import BLANK, redact
from retrievers.dense_index import Ids, Vectors

BATCH = 1000  # nodes in one call
_ROUNDS = 10_000  # of removing one by one, where a store cannot do better
_SECRET = re.compile("pass|secret|token|key|credential|auth|connection|url|uri|dsn", re.IGNORECASE)
# Classes of exceptions, in any driver: what ends by itself, and what somebody has to mend.
_AWAY = re.compile(
    "Operational|Interface|Connect|Timeout|Unavailable|Transport|Unreachable|Network|Closed|Pool"
    "|ResponseHandling"
)
_REFUSED = re.compile(
    "authentication failed|no password|permission denied|unauthorized|forbidden|does not exist"
    "|no pg_hba", re.IGNORECASE,
)  # fmt: skip
_WRONG = re.compile("Programming|DataE|Integrity|Statement|Validation|NotSupported|Argument")
_MISTAKES = (TypeError, ValueError, LookupError, AttributeError, NotImplementedError, ImportError,
             FileNotFoundError, PermissionError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A set of vectors. `name`: 16 hexadecimal digits, of which one is lost in ids.

    `collection` (uid) and `encoder` (fingerprint) are for people, and to remove all of either.
    """

    name: str
    collection: str
    encoder: str

    def id_of(self, number: int) -> str:
        """A UUID (version 8: the content is ours) of the set's name and a number below 2**62."""
        return str(uuid.UUID(int=self._high() << 64 | 0b10 << 62 | number))

    def number_of(self, text: str) -> int | None:
        """The number in an id of this set, None for any other text."""
        try:
            found = uuid.UUID(text).int
        except ValueError:
            return None
        return found & (1 << 62) - 1 if found >> 64 == self._high() else None

    def _high(self) -> int:
        return int(self.name, 16) & ~0xF000 | 0x8000

    def metadata(self) -> dict[str, str]:
        """Values that no store takes for numbers (1e5), whatever their digits."""
        return {
            "pilotfish_set": f"pf-{self.name}",
            "pilotfish_collection": f"pf-{self.collection}",
            "pilotfish_encoder": f"pf-{self.encoder[:16]}",
        }


class LlamaStore:
    """A vector store by its import path. Thread-safe where the store is."""

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        self.path = path
        self._secrets = sorted(_secrets(options), key=len, reverse=True)
        self._starting = threading.RLock()  # many connect at the first call, not thread-safely
        self._started = False
        try:
            from llama_index.core import schema
            from llama_index.core.vector_stores import types
        except ImportError:
            mend = 'pip install "pilotfish[llama-index]" and the store\'s own package'
            raise SettingsError(f"dense.store {path} needs LlamaIndex: {mend}") from None
        self._schema, self._types = schema, types
        with self._asked():
            self._store = _made(path, options)
        if not isinstance(self._store, types.BasePydanticVectorStore):
            raise SettingsError(f"dense.store {path} is no LlamaIndex vector store: name one")

    def put(self, named: Named, ids: Ids, vectors: Vectors, *, fresh: bool = False) -> None:
        """Add vectors, in place of those of these ids; fresh: there are none."""
        for at in range(0, len(ids), BATCH):
            some = ids[at : at + BATCH].tolist()
            if not fresh:
                self.remove(named, some)
            rows = vectors[at : at + BATCH].tolist()
            nodes = [self._node(named, i, row) for i, row in zip(some, rows, strict=True)]
            with self._asked():
                self._store.add(nodes)

    def _node(self, named: Named, number: int, vector: list[float]) -> Any:
        """Its source is itself: some stores remove by source only."""
        mine = named.id_of(number)
        source = self._schema.RelatedNodeInfo(node_id=mine)
        return self._schema.TextNode(
            id_=mine, text="", embedding=vector, metadata=named.metadata(),
            relationships={self._schema.NodeRelationship.SOURCE: source},
        )  # fmt: skip

    def remove(self, named: Named, ids: Sequence[int]) -> None:
        """Remove those of these that there are."""
        for at in range(0, len(ids), BATCH):
            self._delete([named.id_of(i) for i in ids[at : at + BATCH]])

    def _delete(self, nodes: list[str]) -> None:
        with self._asked():
            try:
                self._store.delete_nodes(node_ids=nodes)
            except NotImplementedError:
                for one in nodes:
                    self._store.delete(one)

    def nearest(self, named: Named, vector: Vectors, k: int) -> list[int]:
        """Numbers of up to k nearest vectors of the set, as the store ranks them."""
        found = (named.number_of(one) for one in self._query(self._of(named), vector, k))
        return [number for number in found if number is not None]

    def ids(self, named: Named, vector: Vectors, most: int) -> set[int]:
        """Every number in the set; by a search for `most` where a store cannot list."""
        with self._asked():
            try:
                listed = self._store.get_nodes(filters=self._of(named))
            except NotImplementedError:
                return set(self.nearest(named, vector, most))
        found = (named.number_of(node.node_id) for node in listed)
        return {number for number in found if number is not None}

    def clear(self, named: Named, vector: Vectors) -> None:
        """Remove a whole set."""
        self._clear(self._of(named), vector)

    def clear_collection(self, collection: str, vector: Vectors) -> None:
        """Remove every set of a collection."""
        self._clear(self._filter("pilotfish_collection", f"pf-{collection}"), vector)

    def _clear(self, filters: Any, vector: Vectors) -> None:
        with self._asked():
            try:
                self._store.delete_nodes(filters=filters)
                return
            except NotImplementedError:
                pass
        for _ in range(_ROUNDS):
            some = self._query(filters, vector, BATCH)
            if not some:
                return
            self._delete(some)
        raise SettingsError(f"vector store {self.path} keeps what is removed: remove it there")

    def _query(self, filters: Any, vector: Vectors, k: int) -> list[str]:
        asked = self._types.VectorStoreQuery(
            query_embedding=vector.tolist(), similarity_top_k=k, filters=filters
        )
        with self._asked():
            found = self._store.query(asked)
        return [str(one) for one in found.ids or (node.node_id for node in found.nodes or ())]

    def _of(self, named: Named) -> Any:
        return self._filter("pilotfish_set", f"pf-{named.name}")

    def _filter(self, key: str, value: str) -> Any:
        one = self._types.MetadataFilter(key=key, value=value)
        return self._types.MetadataFilters(filters=[one])

    def close(self) -> None:
        """Let go of its connections, if it knows how to."""
        with self._asked():
            closing = getattr(self._store, "close", lambda: None)()
            if inspect.isawaitable(closing):
                asyncio.run(_awaited(closing))

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        """Calls within are alone until one was answered; what they raise becomes ours."""
        turn: contextlib.AbstractContextManager[Any] = self._starting
        with contextlib.nullcontext() if self._started else turn:
            try:
                yield
            except (PilotfishError, NotImplementedError):
                raise
            except Exception as error:  # noqa: BLE001 - the boundary: a store may raise anything
                raise self._told(error) from None
        self._started = hasattr(self, "_store")

    def _told(self, error: Exception) -> PilotfishError:
        kinds = [type(one).__name__ for one in _chain(error)]
        said = f"vector store {self.path}: {kinds[0]}: {self._clean(str(error))}"
        is_away = any(_AWAY.search(kind) for kind in kinds) or isinstance(error, OSError)
        is_wrong = any(_WRONG.search(kind) for kind in kinds) or isinstance(error, _MISTAKES)
        if _REFUSED.search(str(error)) or (is_wrong and not is_away):
            return SettingsError(f"{said}: mend dense.store_options or the store, or reindex")
        return Unavailable(f"{said}: is it running?")

    def _clean(self, text: str) -> str:
        """Its first line, without what was configured as secret."""
        line = (text.strip().splitlines() or ["no reason given"])[0]
        for secret in self._secrets:
            line = line.replace(secret, BLANK)
        return redact(line)[:200]


async def _awaited(closing: Any) -> None:
    await closing


def _made(path: str, options: Mapping[str, Any]) -> Any:
    """The store; its options are a copy, for some stores change them."""
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found(**json.loads(json.dumps(options, default=str)))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it, nearest first."""
    at: BaseException | None = error
    for _ in range(10):
        if at is None:
            return
        yield at
        at = getattr(at, "orig", None) or at.__cause__ or at.__context__


def _secrets(options: Mapping[str, Any], within: bool = False) -> set[str]:
    """Texts in options that are named like secrets, and what lies inside of such."""
    found: set[str] = set()
    for key, value in options.items():
        secret = within or bool(_SECRET.search(key))
        if isinstance(value, Mapping):
            found |= _secrets(value, secret)
        elif secret and isinstance(value, str) and value:
            found.add(value)
    return found


_opened: dict[str, LlamaStore] = {}
_opening = threading.Lock()


def opened(path: str, options: Mapping[str, Any]) -> LlamaStore:
    """The process's one store of that path and those options."""
    key = _key(path, options)
    with _opening:
        if key not in _opened:
            _opened[key] = LlamaStore(path, options)
        return _opened[key]


def close(path: str, options: Mapping[str, Any]) -> None:
    """Close it; it is opened anew when it is asked for."""
    with _opening:
        found = _opened.pop(_key(path, options), None)
    if found is not None:
        found.close()


def _key(path: str, options: Mapping[str, Any]) -> str:
    return json.dumps([path, options], sort_keys=True, default=str)
