"""A collection's query adapter: one matrix that a question's vector goes through before the search.

Passages keep their vectors and no index is built anew. Closed-form: ridge towards the identity, or
orthogonal Procrustes. It belongs to one encoder and is not used with another. Not here: fitting
(adapter_fit.py), pairs to fit it to (adapter_pairs.py).
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store import collections, tuned
from store.database import Database

NAME = "search"  # under which it is kept
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Adapter:
    """`matrix` of shape (dimension, dimension), `mix` in [0, 1] its share; `how` for people."""

    matrix: Floats
    mix: float
    how: str
    encoder: str  # fingerprint

    def __call__(self, vectors: Floats) -> Floats:
        """Vectors of shape (n, dimension), adapted and L2-normalised."""
        return normed((1 - self.mix) * vectors + self.mix * (vectors @ self.matrix.T))

    def packed(self) -> bytes:
        body = io.BytesIO()
        np.savez_compressed(
            body, matrix=self.matrix, mix=np.float32(self.mix), how=self.how, encoder=self.encoder
        )
        return body.getvalue()


def unpacked(body: bytes) -> Adapter:
    """What `packed` gave."""
    with np.load(io.BytesIO(body), allow_pickle=False) as kept:
        matrix = kept["matrix"].astype(np.float32)
        return Adapter(matrix, float(kept["mix"]), str(kept["how"]), str(kept["encoder"]))


def normed(vectors: Floats) -> Floats:
    """Each row by its length; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Floats = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return found


@dataclass(frozen=True, slots=True)
class Kept:
    """An adapter, and what people are told of it."""

    adapter: Adapter
    where: str


class Adapters:
    """The adapter of a collection, read again when it was fitted anew; shared by threads."""

    def __init__(self, database: Database, name: str) -> None:
        self.database, self.name = database, name
        self._held: tuple[int, float, Kept | None] = (0, 0.0, None)
        self._reading = threading.Lock()

    def of(self, encoder: str) -> Kept | None:
        """The adapter for that encoder's vectors; None: there is none, or it is another's."""
        with self.database.read() as connection:
            here = collections.find(connection, self.name).id
            created = tuned.made(connection, here, NAME)
            if not created:
                return None
            with self._reading:
                held = self._held
            if held[:2] != (here, created):
                one = tuned.of(connection, here, NAME)
                kept = None if one is None else Kept(unpacked(one.body), one.where)
                held = (here, created, kept)
                with self._reading:
                    self._held = held
        found = held[2]
        return found if found and found.adapter.encoder == encoder else None
