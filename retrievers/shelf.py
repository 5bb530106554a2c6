"""An opened collection as retrievers see it: two indexes and the passages behind their ids.

Builds and refreshes the indexes from the database, under a lock, and opens the live
generation for reading. A damaged or foreign generation is rebuilt, never mixed.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from pilotfish.errors import IndexCorrupt, SettingsError
from pilotfish.types import Passage
from retrievers import bm25_index, dense_index, generation
from retrievers.dense_index import Ids, Vectors
from retrievers.embed import Embedder, Progress
from store import collections, passages, where
from store.collections import Collection
from store.database import Database, locked
from store.passages import Since

if TYPE_CHECKING:
    from sqlalchemy import Connection

REWRITE_BELOW = 20_000  # passages; removing from a smaller index rewrites it in seconds
KEPT = 20_000  # passages held in memory
log = logging.getLogger("pilotfish.shelf")


class Encodes(Protocol):
    """What retrievers need of an encoder (models/encoder.py has one)."""

    fingerprint: str
    dimension: int

    def encode(
        self, texts: Sequence[str], *, kind: Literal["passage", "query"] = ...
    ) -> Vectors: ...

    def readable(self, text: str) -> float: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """One generation, opened. `behind`: changes of the collection it has not seen."""

    manifest: generation.Manifest
    bm25: bm25_index.BM25Index
    dense: dense_index.DenseIndex
    behind: int


class Shelf:
    """The indexes of one collection. `encoder` is called when vectors are needed, not before."""

    def __init__(
        self, database: Database, name: str, root: Path, encoder: Callable[[], Encodes]
    ) -> None:
        self.database = database
        self.name = name
        self.root = root
        self._encoder = encoder
        self._opened: tuple[Path, Opened] | None = None
        self._allowed: dict[tuple[int, str], list[int]] = {}
        self._known: tuple[int, dict[int, Passage]] = (-1, {})
        self._mutex = threading.Lock()

    @property
    def encoder(self) -> Encodes:
        return self._encoder()

    def collection(self) -> Collection:
        with self.database.read() as connection:
            return collections.find(connection, self.name)

    def opened(self) -> Opened:
        """The live generation; built first when there is none, rebuilt when damaged."""
        with self._mutex:
            try:
                folder = generation.current(self.root)
                if folder is not None:
                    return self._open(folder)
            except IndexCorrupt as error:
                log.warning("%s; rebuilding it from the database", error)
                self._opened = None
            self.refresh(rebuild=True)
            folder = generation.current(self.root)
            if folder is None:
                raise IndexCorrupt(f"no index in {self.root}: run pilotfish doctor --repair")
            return self._open(folder)

    def _open(self, folder: Path) -> Opened:
        revision = self.collection().revision
        if self._opened and self._opened[0] == folder:
            held = self._opened[1]
            opened = Opened(held.manifest, held.bm25, held.dense, revision - held.manifest.revision)
        else:
            manifest = generation.read_manifest(folder)
            self._must_fit(folder, manifest, revision)
            generation.verify(folder, manifest)
            lexical = bm25_index.BM25Index(folder / bm25_index.FOLDER)
            nearest = dense_index.DenseIndex(folder / dense_index.FILE)
            opened = Opened(manifest, lexical, nearest, revision - manifest.revision)
        self._opened = (folder, opened)
        return opened

    def lost(self, opened: Opened) -> int:
        """Passages that the index still holds though they were removed: read that many more."""
        if opened.behind <= 0:
            return 0
        collection = self.collection()
        with self.database.read() as connection:
            since = Since(collection.id, opened.manifest.revision, collection.revision)
            return passages.count_removed(connection, since)

    def fetch(self, hits: Sequence[tuple[int, float]]) -> tuple[Passage, ...]:
        """The passages behind (id, score) pairs, without those removed meanwhile.

        Passages never change, and a removal makes a new revision: what was read at this
        revision is kept, up to KEPT passages.
        """
        with self.database.read() as connection:
            revision = collections.find(connection, self.name).revision
            known = self._known[1] if self._known[0] == revision else {}
            missing = [i for i, _ in hits if i not in known]
            if missing:
                kept = known if len(known) + len(missing) <= KEPT else {}
                known = kept | passages.fetch(connection, [i for i, _ in hits if i not in kept])
        self._known = (revision, known)
        return tuple(_scored(known[i], score) for i, score in hits if i in known)

    def allowed(self, condition: str | None) -> list[int] | None:
        """Passage ids that pass a metadata filter; None when there is no filter."""
        if not condition:
            return None
        collection = self.collection()
        key = (collection.revision, condition)
        if key not in self._allowed:
            with self.database.read() as connection:
                self._allowed = {key: where.allowed(connection, collection.id, condition)}
        return self._allowed[key]

    def pending(self) -> int:
        """Passages that wait for their vector."""
        collection = self.collection()
        with self.database.read() as connection:
            return passages.count_unembedded(connection, collection.id, self.encoder.fingerprint)

    @property
    def _lock(self) -> Path:
        return self.root.parent / "index.lock"

    def embedder(self, progress: Progress = lambda _: None) -> Embedder:
        """What fills in missing vectors; `progress` hears how many passages got theirs."""
        return Embedder(self.database, self.name, self.encoder, self._lock, progress)

    def refresh(self, progress: Progress = lambda _: None, *, rebuild: bool = False) -> bool:
        """Bring vectors and indexes up to the database; False when there was nothing to do."""
        with locked(self._lock):
            self.embedder(progress).catch_up()
            try:
                return self._build(rebuild)
            except OSError as error:
                what = f"cannot write the index in {self.root}: {error.strerror or error}"
                mend = "make room, or make the workspace writable"
                raise SettingsError(f"{what}: {mend}") from None

    def _build(self, rebuild: bool) -> bool:
        old = None if rebuild else self._sound()
        with self.database.read() as connection:  # one snapshot: revision and rows agree
            collection = collections.find(connection, self.name)
            ready = passages.ready_revision(connection, collection, self.encoder.fingerprint)
            if old and old[1].revision >= ready:
                return False
            folder = generation.begin(self.root, ready)
            counts = self._fill(connection, folder, collection, old, ready)
        manifest = generation.Manifest(
            generation.FORMAT, ready, self.encoder.fingerprint, *counts, generation.hashes(folder)
        )
        generation.publish(self.root, folder, manifest)
        with self.database.write() as connection:
            since = old[1].revision if old else ready
            passages.sweep_tombstones(connection, collection.id, since)
        return True

    def _fill(
        self,
        connection: Connection,
        folder: Path,
        collection: Collection,
        old: tuple[Path, generation.Manifest] | None,
        ready: int,
    ) -> tuple[int, int, int]:
        """Write both indexes into `folder`; give (passages, vectors, buried postings) of them."""
        encoder = self.encoder
        since = Since(collection.id, old[1].revision if old else 0, ready)
        removed = passages.removed_since(connection, since) if old else []
        buried = len(removed) + (old[1].buried if old else 0)
        total = passages.count(connection, collection.id)
        lexical = folder / bm25_index.FOLDER
        if old and not _must_rewrite(buried, total):
            generation.clone(old[0] / bm25_index.FOLDER, lexical)
            texts = _texts(connection, since)
            bm25_index.update(lexical, texts, removed)
        else:  # postings of removed passages leave the disk too
            buried = 0
            bm25_index.update(lexical, _texts(connection, replace(since, after=0)), [])
        vectors = passages.vectors_since(connection, since, encoder.fingerprint)
        added = _arrays(list(vectors), encoder.dimension)
        source = old[0] / dense_index.FILE if old else None
        held = dense_index.update(source, folder / dense_index.FILE, added, removed)
        return len(bm25_index.BM25Index(lexical)), held, buried

    def _sound(self) -> tuple[Path, generation.Manifest] | None:
        """The live generation if it may be built upon."""
        with contextlib.suppress(IndexCorrupt):
            folder = generation.current(self.root)
            if folder is not None:
                manifest = generation.read_manifest(folder)
                self._must_fit(folder, manifest, self.collection().revision)
                generation.verify(folder, manifest)
                return folder, manifest
        return None

    def _must_fit(self, folder: Path, manifest: generation.Manifest, revision: int) -> None:
        """IndexCorrupt when the generation belongs to another encoder or another database."""
        if manifest.encoder != self.encoder.fingerprint:
            raise IndexCorrupt(f"{folder} was built with another encoder ({manifest.encoder})")
        if manifest.revision > revision:
            raise IndexCorrupt(f"{folder} is newer than the database ({manifest.revision})")


def _scored(p: Passage, score: float) -> Passage:
    """The passage with a score; dataclasses.replace takes ten times as long, 200 times a search."""
    return Passage(p.id, p.text, p.document, p.start, p.end, p.place, p.kind, score, p.title)


def _must_rewrite(buried: int, total: int) -> bool:
    """Whether the lexical index is written anew: cheap, or a tenth of it is removed."""
    return buried > 0 and (total <= REWRITE_BELOW or buried > total / 10)


def _texts(connection: Connection, since: Since) -> Iterator[tuple[int, str]]:
    rows = passages.added_since(connection, since)
    return ((i, passages.joined(context, text)) for i, context, text in rows)


def _arrays(rows: list[tuple[int, bytes]], dimension: int) -> tuple[Ids, Vectors]:
    ids = np.array([i for i, _ in rows], dtype=np.int64)
    flat = np.frombuffer(b"".join(blob for _, blob in rows), dtype="<f2")
    return ids, flat.reshape(len(ids), dimension).astype(np.float32)
