"""The dense half of an index in any LlamaIndex vector store: the way past one machine.

Each full build is a set of its own in the store (llama_store.py), so that readers of the one
before are not disturbed; later builds change it in place, which they may see: results are read
back from the database. `dense.json` in the generation's folder says which set. A mark in the
store carries the revision that the set has reached: what was wiped or put back is refused. The
store only proposes: scores are cosines of the vectors in the database, and what it cannot give
(filters, more than its index looks at) is searched there. Not here: calling the store.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pilotfish.errors import IndexCorrupt, PilotfishError, SettingsError
from retrievers import llama_store
from retrievers.dense_index import Hits, Ids, Vectors
from retrievers.generation import ELSEWHERE, Manifest
from retrievers.llama_store import LlamaStore, Named
from retrievers.nearest import Change, Truth
from store.files import fsync

FEW = 2000  # passages, of a collection or that pass a filter: so few are compared in the database
EXACT = 20_000  # passages in all: so few are compared in the database if the store gives too little
MOST = 5000  # neighbours that a store is asked for when a filter lets few of them pass
_MEND = "run pilotfish doctor --repair"
log = logging.getLogger("pilotfish.dense")


@dataclass(frozen=True, slots=True)
class Kept:
    """What `dense.json` says."""

    store: str
    name: str
    collection: str
    encoder: str
    dimension: int

    @property
    def named(self) -> Named:
        return Named(self.name, self.collection, self.encoder)

    @property
    def marks(self) -> Named:
        """The set of one: an id that is the revision up to which the vectors are there."""
        digest = hashlib.sha256(f"mark {self.name}".encode()).hexdigest()
        return Named(digest[:16], self.collection, self.encoder)

    @property
    def vector(self) -> Vectors:
        """A vector that is the mark's own: its nearest in any index."""
        raw = np.random.default_rng(int(self.name, 16)).standard_normal(self.dimension)
        unit: Vectors = (raw / np.linalg.norm(raw)).astype(np.float32)
        return unit

    def write(self, folder: Path) -> None:
        """Durable before the first vector: a build that is killed can be cleared away."""
        (folder / ELSEWHERE).write_text(json.dumps(asdict(self)), encoding="utf-8")
        fsync(folder / ELSEWHERE)
        fsync(folder)

    @classmethod
    def read(cls, folder: Path) -> Kept:
        try:
            return cls(**json.loads((folder / ELSEWHERE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise IndexCorrupt(f"{folder / ELSEWHERE} cannot be read ({error}): {_MEND}") from None


class LlamaKeeper:
    """A Keeper (nearest.py). `kind` is the import path of the store's class or constructor."""

    def __init__(self, kind: str, options: Mapping[str, Any]) -> None:
        self.kind, self._options = kind, options

    @property
    def _store(self) -> LlamaStore:
        return llama_store.opened(self.kind, self._options)

    def update(self, change: Change) -> int:
        store, fresh = self._store, change.old is None
        if change.old is None:
            name, mine = secrets.token_hex(8), (change.collection, change.encoder)
            kept = Kept(self.kind, name, *mine, change.dimension)
        else:
            kept = Kept.read(change.old)
        kept.write(change.folder)
        store.remove(kept.named, change.removed)
        for ids, vectors in change.added:
            store.put(kept.named, ids, vectors, fresh=fresh)
        _mark(store, kept, change.revision, fresh=fresh)
        return change.total

    def check(self, folder: Path, manifest: Manifest) -> None:
        kept = Kept.read(folder)
        reached = max(self._store.nearest(kept.marks, kept.vector, 4), default=-1)
        if reached < manifest.revision:  # an approximate index may overlook even an equal vector
            reached = max(self._store.ids(kept.marks, kept.vector, 100), default=-1)
        if reached < manifest.revision:
            what = f"vector store {self.kind} does not hold what {folder} was built with"
            raise IndexCorrupt(f"{what}: {_MEND}")

    def open(self, folder: Path, manifest: Manifest, truth: Truth) -> LlamaNearest:
        self.check(folder, manifest)
        return LlamaNearest(self._store, Kept.read(folder), manifest.vectors, truth)

    def release(self, folder: Path, others: Sequence[Path]) -> bool:
        """What cannot be reached is told; a store that is away is tried again at the next time."""
        try:
            mine, theirs = _kept([folder]), {kept.name for kept in _kept(others)}
        except IndexCorrupt as error:
            log.warning("%s goes; its vectors may stay in the store: %s", folder.name, error)
            return True
        return all(one.name in theirs or self._cleared(one) for one in mine)

    def _cleared(self, kept: Kept) -> bool:
        if kept.store != self.kind:
            log.warning("vectors of an old index stay in %s: remove them there", kept.store)
            return True
        try:
            for named in (kept.named, kept.marks):
                self._store.clear(named, kept.vector)
        except PilotfishError as error:
            log.warning("vectors of an old index wait to be removed: %s", error)
            return False
        return True

    def drop(self, collection: str, root: Path) -> None:
        vectors = [one.vector for one in _kept(root.glob("gen-*")) if one.store == self.kind]
        if vectors:
            self._store.clear_collection(collection, vectors[0])

    def close(self) -> None:
        llama_store.close(self.kind, self._options)


def _mark(store: LlamaStore, kept: Kept, revision: int, *, fresh: bool) -> None:
    """Say that the set has reached this revision; older marks go last."""
    marks = [] if fresh else sorted(store.ids(kept.marks, kept.vector, 100))
    mark = np.array([revision], dtype=np.int64)
    store.put(kept.marks, mark, kept.vector[None, :], fresh=fresh)
    store.remove(kept.marks, [one for one in marks if one != revision])


def _kept(folders: Iterable[Path]) -> list[Kept]:
    """What those of the folders say that say anything."""
    return [Kept.read(one) for one in folders if (one / ELSEWHERE).exists()]


class LlamaNearest:
    """A set of vectors, opened. Thread-safe where the store is."""

    def __init__(self, store: LlamaStore, kept: Kept, size: int, truth: Truth) -> None:
        self._store, self._kept = store, kept
        self._size, self._truth = size, truth
        self._told = False

    def __len__(self) -> int:
        return self._size

    def ids(self) -> set[int]:
        """Every passage id that the store holds of this collection and generation."""
        return self._store.ids(self._kept.named, self._kept.vector, 2 * self._size + 1000)

    def search(self, vector: Vectors, k: int, allowed: Sequence[int] | None = None) -> Hits:
        """Up to k (passage id, cosine), best first. `vector` has shape (dimension,)."""
        if k < 1 or not self._size or (allowed is not None and not allowed):
            return []
        if allowed is not None:
            return self._among(vector, k, allowed)
        found = self._store.nearest(self._kept.named, vector, min(k, self._size))
        if self._size <= FEW:  # asked only to hear whether it is there: it may overlook the best
            return self._best(vector, k, None) or self._scored(vector, k, found)
        if len(found) < min(k, self._size):
            if self._size <= EXACT:
                return self._best(vector, k, None)
            self._warn(len(found), k)
        return self._scored(vector, k, found)

    def _among(self, vector: Vectors, k: int, allowed: Sequence[int]) -> Hits:
        """The nearest of those that pass a filter: out of more neighbours, or by comparing all."""
        depth = min(self._size, 2 * k * self._size // len(allowed) + 10)
        if len(allowed) > FEW and depth <= MOST:
            found = np.array(self._store.nearest(self._kept.named, vector, depth), dtype=np.int64)
            passing = found[np.isin(found, np.asarray(allowed, dtype=np.int64))]
            if len(passing) >= min(k, len(allowed)):
                return self._scored(vector, k, passing.tolist())
        return self._best(vector, k, allowed)

    def _scored(self, vector: Vectors, k: int, found: list[int]) -> Hits:
        """What the store found, by cosine; in its order where the database has no such vectors.

        That is so when another encoder took over, and this process cannot follow yet.
        """
        hits = self._best(vector, k, found)
        return hits or [(i, -float(rank)) for rank, i in enumerate(found[:k])]

    def _best(self, vector: Vectors, k: int, ids: Sequence[int] | None) -> Hits:
        """The k nearest of these passages (None: of all), as the database has their vectors."""
        best: list[tuple[float, int]] = []
        for some, vectors in self._truth(ids):
            scores = vectors @ vector
            top = _top(scores, k)
            pairs = zip((-scores[top]).tolist(), some[top].tolist(), strict=True)
            best = sorted([*best, *pairs])[:k]
        return [(i, -score) for score, i in best]

    def _warn(self, found: int, k: int) -> None:
        if not found:
            what = f"vector store {self._kept.store} found none of {self._size:,} vectors"
            raise SettingsError(f"{what}: give the collection a table of its own, or search wider")
        if not self._told:
            self._told = True
            mend = "let its index look at more (hnsw_ef_search), or ask for fewer"
            log.warning("vector store %s gave %d of %d: %s", self._kept.store, found, k, mend)


def _top(scores: Vectors, k: int) -> Ids:
    """Positions of the k highest scores, the first of equals first."""
    return np.argsort(-scores, kind="stable")[:k].astype(np.int64)
