"""An opened collection as retrievers see it: two indexes and the passages behind their ids.

Opens the live generation beside the searches that go on in the one that is held; waits for a
build only where nothing is held. Not here: building (build.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pilotfish.errors import IndexCorrupt, PilotfishError, SettingsError
from pilotfish.types import Passage
from retrievers import bm25_index, generation, kept
from retrievers.adapter import Adapters
from retrievers.build import Builder, arrays
from retrievers.dense_index import Faiss, Ids, Vectors
from retrievers.embed import Embedder, Encoders, Encodes, Progress
from retrievers.nearest import Keeper, Nearest
from store import collections, passages, vectors, where
from store.collections import Collection
from store.database import Database
from store.passages import Since

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TRIES = 5  # at opening what others replace meanwhile
_AGAIN = 10.0  # seconds until a generation that could not be opened is tried again
_SWEEP = 60.0  # seconds between two looks for generations that may go
log = logging.getLogger("pilotfish.shelf")


@dataclass(frozen=True, slots=True)
class Opened:
    """One generation, opened, and the encoder of its vectors.

    `pointer`: what CURRENT said of it. `behind`: changes of the collection it has not seen.
    """

    pointer: str | None
    manifest: generation.Manifest
    bm25: bm25_index.BM25Index
    dense: Nearest
    encoder: Encodes
    behind: int = 0

    def fits(self, collection: Collection) -> bool:
        """Whether it may be searched still: an older one may, another database's may not."""
        mine = self.manifest.collection == collection.uid
        return mine and self.manifest.revision <= collection.revision

    def seen_from(self, collection: Collection) -> Opened:
        return replace(self, behind=collection.revision - self.manifest.revision)


class Shelf:
    """The indexes of one collection, shared by threads.

    `encoders` is called when vectors are needed, not before. `keeper` has the dense half; a FAISS
    file when none is given.
    """

    def __init__(
        self, database: Database, name: str, root: Path, encoders: Encoders,
        keeper: Keeper | None = None,
    ) -> None:  # fmt: skip
        self.database, self.name, self.root = database, name, root
        self._encoders = encoders
        self.keeper: Keeper = keeper or Faiss()
        self._builder = Builder(database, name, root, encoders, self.keeper)
        self._held: Opened | None = None
        self._opening = threading.Lock()
        self._refused: tuple[str | None, float] = (None, 0.0)  # a pointer, and until when
        self._sweep_at = 0.0
        self._filters, self._passages = kept.Filters(), kept.Passages()
        self.adapters = Adapters(database, name)
        self._beside: dict[str, Shelf] = {}

    def beside(self, name: str) -> Shelf:
        """The shelf of another collection of the workspace; SettingsError: there is none."""
        with self.database.read() as connection:
            known = collections.names(connection)
        if name not in known or name == self.name:
            others = ", ".join(one for one in known if one != self.name) or "none"
            raise SettingsError(f"no other collection is called {name!r}: there are {others}")
        if name not in self._beside:
            root = self.root.parent.parent / name / self.root.name
            self._beside[name] = Shelf(self.database, name, root, self._encoders, self.keeper)
        return self._beside[name]

    def collection(self) -> Collection:
        with self.database.read() as connection:
            return collections.find(connection, self.name)

    def opened(self) -> Opened:
        """The live generation, or the held one while another thread or process is at a newer.

        Built first when there is none; a damaged or foreign one is built anew.
        """
        pointer = generation.pointer(self.root)
        collection = self.collection()  # after the pointer: never older than what that names
        held = self._held
        usable = held if held and held.fits(collection) else None
        if time.monotonic() > self._sweep_at:
            self._sweep_at = time.monotonic() + _SWEEP
            self._builder.sweep()
        if usable and (pointer == usable.pointer or self._is_refused(pointer)):
            return usable.seen_from(collection)
        if not self._opening.acquire(blocking=usable is None):
            assert usable is not None
            return usable.seen_from(collection)
        try:
            self._held = newest = self._open_live()
        finally:
            self._opening.release()
        return newest.seen_from(self.collection())

    def _is_refused(self, pointer: str | None) -> bool:
        refused, until = self._refused
        return pointer == refused and time.monotonic() < until

    def _open_live(self) -> Opened:
        """Open what CURRENT names; what is held goes on when that cannot be."""
        for attempt in range(_TRIES):
            pointer = generation.pointer(self.root)
            collection = self.collection()
            held = self._held
            usable = held if held and held.fits(collection) else None
            if usable and usable.pointer == pointer:  # by the thread that this one waited for
                return usable
            try:
                return self._load(pointer, collection)
            except PilotfishError as error:
                if generation.pointer(self.root) != pointer and attempt < _TRIES - 1:
                    continue
                if usable:
                    log.warning("%s; going on with the index of before", error)
                    self._refused = (pointer, time.monotonic() + _AGAIN)
                    return usable
                if not isinstance(error, IndexCorrupt) or attempt == _TRIES - 1:
                    raise
                level = logging.INFO if pointer is None else logging.WARNING
                log.log(level, "%s; building it from the database", error)
            self._builder.mend(pointer)
        raise AssertionError("the last try returns or raises")

    def _load(self, pointer: str | None, collection: Collection) -> Opened:
        if pointer is None:
            raise IndexCorrupt(f"no index in {self.root} yet")
        folder = generation.named(self.root, pointer)
        manifest = generation.read_manifest(folder)
        encoder = self._encoders(collection.encoder, manifest.encoder)
        kind = self.keeper.kind
        generation.must_fit(folder, manifest, collection, encoder.fingerprint, kind)
        generation.verify(folder, manifest)
        lexical = bm25_index.BM25Index(folder / bm25_index.FOLDER)
        return Opened(pointer, manifest, lexical, self.nearest(folder, manifest, encoder), encoder)

    def nearest(self, folder: Path, manifest: generation.Manifest, encoder: Encodes) -> Nearest:
        """The dense half of a generation, opened; it may look at the vectors in the database."""

        def truth(ids: Sequence[int] | None) -> Iterator[tuple[Ids, Vectors]]:
            with self.database.read() as connection:
                if ids is None:
                    since = Since(collections.find(connection, self.name).id, 0, manifest.revision)
                    rows = passages.vectors_since(connection, since, manifest.encoder)
                else:
                    rows = vectors.of_passages(connection, manifest.encoder, ids)
                yield from arrays(rows, encoder.dimension)

        return self.keeper.open(folder, manifest, truth)

    def lost(self, opened: Opened) -> int:
        """Passages that the index still holds though they were removed: read that many more."""
        if opened.behind <= 0:
            return 0
        with self.database.read() as connection:
            collection = collections.find(connection, self.name)
            since = Since(collection.id, opened.manifest.revision, collection.revision)
            return passages.count_removed(connection, since)

    def fetch(self, hits: Sequence[tuple[int, float]]) -> tuple[Passage, ...]:
        """The passages behind (id, score) pairs, without those removed meanwhile.

        Passages never change, and a removal makes a new revision: what was read at this
        revision is kept.
        """
        with self.database.read() as connection:
            revision = collections.find(connection, self.name).revision
            known = self._passages.get(revision, (i for i, _ in hits))
            missing = [i for i, _ in hits if i not in known]
            if missing:
                fetched = passages.fetch(connection, missing)
                self._passages.put(revision, fetched)
                known |= fetched
        return tuple(_scored(known[i], score) for i, score in hits if i in known)

    def allowed(self, condition: str | None, kind: str | None = None) -> Sequence[int] | None:
        """Passage ids that pass a metadata filter and are of a kind; None: all may be found."""
        if not condition and kind is None:
            return None
        with self.database.read() as connection:  # one snapshot: revision and ids agree
            collection = collections.find(connection, self.name)
            key = (collection.revision, f"{kind or ''}\n{condition or ''}")
            ids = self._filters.get(key)
            if ids is None:
                ids = self._filtered(connection, collection.id, condition, kind)
                self._filters.put(key, ids)
        return ids

    def _filtered(
        self, connection: Connection, collection_id: int, condition: str | None, kind: str | None
    ) -> list[int]:
        by_kind = passages.of_kind(connection, collection_id, kind) if kind else None
        if not condition:
            return by_kind or []
        ids = where.allowed(connection, collection_id, condition)
        return ids if by_kind is None else sorted(set(ids) & set(by_kind))

    def pending(self) -> int:
        """Passages that wait for their vector."""
        collection = self.collection()
        fingerprint = self._encoders(collection.encoder).fingerprint
        with self.database.read() as connection:
            return passages.count_unembedded(connection, collection.id, fingerprint)

    def embedder(self, progress: Progress = lambda _: None) -> Embedder:
        """What fills in missing vectors; `progress` hears how many passages got theirs."""
        return Embedder(self.database, self.name, self._encoders, self._builder.lock, progress)

    def refresh(self, progress: Progress = lambda _: None, *, rebuild: bool = False) -> bool:
        """Bring vectors and indexes up to the database; False when there was nothing to do."""
        return self._builder.refresh(progress, rebuild=rebuild)

    def change_encoder(self, name: str, progress: Progress = lambda _: None) -> None:
        """Go over to another encoder: the collection and its index at one stroke."""
        self._builder.change_encoder(name, progress)

    def sweep(self) -> None:
        """Remove replaced generations whose time of grace is over."""
        self._builder.sweep()

    def forget(self) -> None:
        """Remove what a vector store outside the workspace has of this collection.

        To be called while the collection still exists; its folder is for the caller to remove.
        """
        self._builder.forget()


def _scored(p: Passage, score: float) -> Passage:
    """The passage with a score; dataclasses.replace takes ten times as long, 200 times a search."""
    return Passage(p.id, p.text, p.document, p.start, p.end, p.place, p.kind, score, p.title)
