"""One collection whose vectors are kept by FAISS and by a vector store, to be compared.

Not here: the stores (stores.py, pg_server.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pilotfish.types import Case, Question, Scope
from retrievers import generation, llama_store
from retrievers.dense import Dense
from retrievers.dense_llama import Kept
from retrievers.nearest import keeper
from retrievers.shelf import Shelf
from store import passages
from store.database import Database
from store.incoming import NewDocument
from tests.retrievers.fake_encoder import FakeEncoder
from tests.store.made import drop, fresh_database, put, with_collection

WORDS = "red blue green cat dog fish moon sun star rope anvil lantern".split()


class House:
    """`path` and `options`: the vector store. `root`: where its generations lie."""

    def __init__(self, folder: Path, path: str, options: Mapping[str, Any]) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.path, self.options = folder, path, options
        self.root = folder / "there" / "index"
        self.database: Database = fresh_database(folder)
        self.collection = with_collection(self.database)
        self.encoder = FakeEncoder()
        self.here, self.there = self.shelf("faiss"), self.shelf()

    def shelf(self, path: str | None = None, collection: str = "default") -> Shelf:
        """As another process would open it."""
        kept = keeper(path or self.path, self.options)
        places = {None: self.root, "faiss": self.folder / "here" / "index"}
        root = places[path] if collection == "default" else self.folder / collection / "index"
        return Shelf(self.database, collection, root, lambda *_: self.encoder, kept)

    def put(self, *new: NewDocument) -> None:
        put(self.database, self.collection, *new)

    def drop(self, *keys: str) -> None:
        drop(self.database, self.collection, *keys)

    def refresh(self) -> None:
        """A first build forgets removals that it has no need of; the store's may have."""
        self.there.refresh()
        self.here.refresh()

    def ids(self) -> set[int]:
        with self.database.read() as connection:
            return set(passages.all_ids(connection, self.collection.id))

    def kept(self) -> Kept:
        """What the live generation says of its vectors."""
        folder = generation.current(self.root)
        assert folder is not None
        return Kept.read(folder)

    def close(self) -> None:
        self.there.keeper.close()
        self.database.close()

    @property
    def store(self) -> llama_store.LlamaStore:
        return llama_store.opened(self.path, self.options)


def ask(text: str, where: str | None = None) -> Case:
    return Case(Question(text, scope=Scope(where=where)))


def found(shelf: Shelf, text: str, where: str | None = None, k: int = 10) -> dict[int, float]:
    """Passage id -> score, best first."""
    return {p.id: p.score for p in Dense(shelf, k)(ask(text, where)).passages}


def lines(seed: int, count: int) -> str:
    """Lines of words, as many passages; some of them equal."""
    return "\n".join(
        " ".join(WORDS[(seed * 7 + i * step + i * i) % len(WORDS)] for step in (1, 3, 5))
        for i in range(count)
    )


def age(folder: Path) -> None:
    """Let the time of grace be over for a folder."""
    past = time.time() - generation._KEEP_SECONDS - 5
    os.utime(folder, (past, past))
