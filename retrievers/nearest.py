"""The dense half of an index: what is asked of it, whoever searches the vectors.

Two can: a FAISS file inside the generation (dense_index.py), and any LlamaIndex vector store
beside it (dense_llama.py). Both are caches; the vectors lie in the database. Not here: either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from retrievers.dense_index import Faiss, Hits, Ids, Vectors
from retrievers.generation import FAISS, Manifest

# The vectors of these passages as the database has them, in blocks; of all of them for None.
Truth = Callable[[Sequence[int] | None], Iterator[tuple[Ids, Vectors]]]


class Nearest(Protocol):
    """An opened dense half. Thread-safe."""

    def __len__(self) -> int: ...

    def ids(self) -> set[int]:
        """Every passage id that it holds."""
        ...

    def search(self, vector: Vectors, k: int, allowed: Sequence[int] | None = None) -> Hits:
        """Up to k (passage id, cosine), best first; `allowed` restricts to these ids."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What makes a new generation's dense half out of the one before (`old`, None: of nothing).

    `collection` is a uid, `encoder` a fingerprint; `total` is how many passages it has then.
    """

    collection: str
    encoder: str
    dimension: int
    revision: int
    total: int
    old: Path | None
    folder: Path
    added: Iterable[tuple[Ids, Vectors]]
    removed: Sequence[int]


class Keeper(Protocol):
    """Where the dense half of a collection's generations is kept."""

    kind: str  # as the manifest names it: never mixed with another

    def update(self, change: Change) -> int:
        """Make the dense half of `change.folder`; give its size. Done again, it does the same."""
        ...

    def check(self, folder: Path, manifest: Manifest) -> None:
        """IndexCorrupt when it is not, or no longer, kept; Unavailable when that cannot be told."""
        ...

    def open(self, folder: Path, manifest: Manifest, truth: Truth) -> Nearest:
        """The dense half of a generation."""
        ...

    def release(self, folder: Path, others: Sequence[Path]) -> bool:
        """Let go of what none of the `others` shares with a folder that goes; False: not now."""
        ...

    def drop(self, collection: str, root: Path) -> None:
        """Remove all that is kept of this collection outside its folder `root`."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def keeper(store: str, options: Mapping[str, Any]) -> Keeper:
    """What the setting `dense.store` names. LlamaIndex is imported only where it is needed."""
    if store == FAISS:
        return Faiss()
    from retrievers.dense_llama import LlamaKeeper

    return LlamaKeeper(store, options)
