"""Builds the indexes of a collection from the database: one process at a time, under a lock.

A generation is grown from the live one where that is sound, else written anew. Not here:
opening (shelf.py), what a generation is on disk (generation.py).
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pilotfish.errors import IndexCorrupt, SettingsError
from retrievers import bm25_index, generation
from retrievers.dense_index import Ids, Vectors
from retrievers.embed import Embedder, Encoders, Encodes, Progress
from retrievers.generation import Manifest
from retrievers.nearest import Change, Keeper
from store import collections, passages
from store.collections import Collection
from store.database import Database, locked
from store.passages import Since

if TYPE_CHECKING:
    from sqlalchemy import Connection

REWRITE_BELOW = 20_000  # passages; removing from a smaller index rewrites it in seconds
_BLOCK = 4096  # vectors read from the database at once


@dataclass(frozen=True, slots=True)
class Live:
    """The generation that is built upon."""

    folder: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Work:
    """What becomes a generation in `folder`: changes `since` the `old` one, if there is one."""

    connection: Connection
    collection: Collection
    encoder: Encodes
    folder: Path
    since: Since
    old: Live | None


class Builder:
    """Brings the indexes of one collection up to its database.

    `keeper`: what has the dense half of them.
    """

    def __init__(
        self, database: Database, name: str, root: Path, encoders: Encoders, keeper: Keeper
    ) -> None:
        self.database, self.name, self.root = database, name, root
        self.encoders, self.keeper = encoders, keeper
        self.lock = root.parent / "index.lock"

    def refresh(self, progress: Progress, *, rebuild: bool = False) -> bool:
        """Encode what lacks a vector and catch the indexes up; False with nothing to do."""
        with locked(self.lock):
            return self._work(progress, rebuild=rebuild)

    def mend(self, refused: str | None) -> None:
        """Build anew, unless another process has published since CURRENT said `refused`."""
        with locked(self.lock):
            if generation.pointer(self.root) == refused or self._sound() is None:
                self._work(lambda _: None, rebuild=True)

    def change_encoder(self, name: str, progress: Progress) -> None:
        """Build anew with another encoder, and record it with the collection."""
        with locked(self.lock):
            self._work(progress, rebuild=True, encoder=name)

    def sweep(self) -> None:
        """Remove generations whose time of grace is over, unless somebody is building."""
        if generation.outdated(self.root):
            with contextlib.suppress(SettingsError):  # a workspace that only lets itself be read
                with locked(self.lock, wait=False) as mine:
                    if mine:
                        generation.sweep(self.root, self.keeper.release)

    def forget(self) -> None:
        """Remove what is kept of the collection outside its folder."""
        with locked(self.lock):
            self.keeper.drop(self._collection().uid, self.root)

    def _work(self, progress: Progress, *, rebuild: bool, encoder: str | None = None) -> bool:
        old = None if rebuild else self._sound()
        name = encoder or self._collection().encoder
        with_it = self.encoders(name, old.manifest.encoder if old else None)
        Embedder(self.database, self.name, lambda *_: with_it, self.lock, progress).catch_up()
        try:
            return self._build(old, with_it, encoder)
        except OSError as error:
            what = f"cannot write the index in {self.root}: {error.strerror or error}"
            raise SettingsError(f"{what}: make room, or make the workspace writable") from None

    def _build(self, old: Live | None, encoder: Encodes, renamed: str | None) -> bool:
        """Publish a new generation; False when the old one holds all that can be had."""
        with self.database.read() as connection:  # one snapshot: revision and rows agree
            collection = collections.find(connection, self.name)
            ready = passages.ready_revision(connection, collection, encoder.fingerprint)
            if old and old.manifest.revision >= ready:
                generation.sweep(self.root, self.keeper.release)
                return False
            since = Since(collection.id, old.manifest.revision if old else 0, ready)
            folder = generation.begin(self.root, ready)
            work = Work(connection, collection, encoder, folder, since, old)
            counts = _fill(work, self.keeper)
        files = generation.hashes(folder)
        identity = (generation.FORMAT, collection.uid, ready, encoder.fingerprint)
        if renamed:  # first, so that CURRENT never names what no reader knows the encoder of
            self._rename(collection, renamed)
        manifest = Manifest(*identity, *counts, files, self.keeper.kind)
        generation.publish(self.root, folder, manifest, self.keeper.release)
        with self.database.write() as connection:
            passages.sweep_tombstones(connection, collection.id, since.after or ready)
        return True

    def _rename(self, collection: Collection, encoder: str) -> None:
        with self.database.write() as connection:
            tokens = collection.split_tokens
            collections.set_encoder(connection, collection.id, encoder, tokens)

    def _sound(self) -> Live | None:
        """The live generation if it may be built upon."""
        with contextlib.suppress(IndexCorrupt):
            folder = generation.current(self.root)
            if folder is not None:
                manifest = generation.read_manifest(folder)
                collection = self._collection()
                encoder = self.encoders(collection.encoder, manifest.encoder)
                kind = self.keeper.kind
                generation.must_fit(folder, manifest, collection, encoder.fingerprint, kind)
                generation.verify(folder, manifest)
                self.keeper.check(folder, manifest)
                return Live(folder, manifest)
        return None

    def _collection(self) -> Collection:
        with self.database.read() as connection:
            return collections.find(connection, self.name)


def _fill(work: Work, keeper: Keeper) -> tuple[int, int, int]:
    """Make both indexes in the folder; give (passages, vectors, buried postings) of them."""
    connection, since, old = work.connection, work.since, work.old
    removed = passages.removed_since(connection, since) if old else []
    held, buried = _fill_lexical(work, removed)
    encoder, source = work.encoder, old.folder if old else None
    rows = passages.vectors_since(connection, since, encoder.fingerprint)
    change = Change(
        collection=work.collection.uid, encoder=encoder.fingerprint, dimension=encoder.dimension,
        revision=since.upto, total=held, old=source, folder=work.folder,
        added=arrays(rows, encoder.dimension), removed=removed,
    )  # fmt: skip
    return held, keeper.update(change), buried


def _fill_lexical(work: Work, removed: list[int]) -> tuple[int, int]:
    connection, since, old = work.connection, work.since, work.old
    buried = len(removed) + (old.manifest.buried if old else 0)
    total = passages.count(connection, since.collection_id)
    lexical = work.folder / bm25_index.FOLDER
    if old and not _must_rewrite(buried, total):
        generation.clone(old.folder / bm25_index.FOLDER, lexical)
        bm25_index.update(lexical, _texts(connection, since), removed)
    else:  # postings of removed passages leave the disk too
        buried = 0
        bm25_index.update(lexical, _texts(connection, replace(since, after=0)), [])
    return len(bm25_index.BM25Index(lexical)), buried


def _must_rewrite(buried: int, total: int) -> bool:
    """Whether the lexical index is written anew: cheap, or a tenth of it is removed."""
    return buried > 0 and (total <= REWRITE_BELOW or buried > total / 10)


def _texts(connection: Connection, since: Since) -> Iterator[tuple[int, str]]:
    rows = passages.added_since(connection, since)
    return ((i, passages.joined(context, text)) for i, context, text in rows)


def arrays(rows: Iterator[tuple[int, bytes]], dimension: int) -> Iterator[tuple[Ids, Vectors]]:
    """(passage id, float16 blob) as blocks of arrays: all of them at once would lie there twice."""
    while some := list(itertools.islice(rows, _BLOCK)):
        ids = np.array([i for i, _ in some], dtype=np.int64)
        flat = np.frombuffer(b"".join(blob for _, blob in some), dtype="<f2")
        yield ids, flat.reshape(len(ids), dimension).astype(np.float32)
