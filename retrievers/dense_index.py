"""Nearest vectors by FAISS: exact until EXACT_UNTIL passages, then inverted lists.

Cosine similarity of L2-normalised vectors. A cache: vectors lie in the database.
Not here: encoding (models/encoder.py), publishing (retrievers/generation.py).
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pilotfish.errors import IndexCorrupt
from retrievers.generation import ELSEWHERE, FAISS, Manifest

if TYPE_CHECKING:
    from retrievers.nearest import Change, Truth

FILE = "dense.faiss"
EXACT_UNTIL = 200_000  # a scan takes about as long as encoding the question up to here
_RETRAIN_GROWTH = 2.0
_BLOCK = 16_384  # vectors copied at once
_PROBE_SHARE = 0.16  # of the lists; measured: recall at 10 >= 0.98, see benchmarks/RESULTS.md

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Hits = list[tuple[int, float]]
log = logging.getLogger("pilotfish.dense")


class DenseIndex:
    """An opened FAISS index. Thread-safe for searching."""

    def __init__(self, path: Path) -> None:
        import faiss

        try:
            self._index: Any = faiss.read_index(str(path))
        except RuntimeError as error:
            reason = str(error).splitlines()[0][-120:]
            raise IndexCorrupt(
                f"vector index {path}: {reason}: run pilotfish doctor --repair"
            ) from None
        faiss.omp_set_num_threads(1)  # one question is one scan: threads only wait for each other
        self._faiss = faiss

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def ids(self) -> set[int]:
        """Every passage id that the index holds."""
        return set(_ids(self._index).tolist())

    def search(self, vector: Vectors, k: int, allowed: Sequence[int] | None = None) -> Hits:
        """Up to k (passage id, cosine), best first. `vector` has shape (dimension,)."""
        if k < 1 or not len(self) or (allowed is not None and not allowed):
            return []
        parameters = self._parameters(allowed)
        scores, ids = self._index.search(vector[None, :], min(k, len(self)), params=parameters)
        pairs = zip(ids[0].tolist(), scores[0].tolist(), strict=True)
        return [(i, score) for i, score in pairs if i >= 0]

    def _parameters(self, allowed: Sequence[int] | None) -> Any:
        faiss = self._faiss
        options: dict[str, Any] = {}
        share = _PROBE_SHARE
        if allowed is not None:
            options["sel"] = faiss.IDSelectorBatch(np.asarray(allowed, dtype=np.int64))
            share *= len(self) / len(allowed)  # as many candidates as without the filter
        if hasattr(self._index, "nlist"):
            return faiss.SearchParametersIVF(nprobe=_probes(self._index.nlist, share), **options)
        return faiss.SearchParameters(**options) if options else None


class Faiss:
    """A Keeper (nearest.py): one file in the generation's folder, which goes with it."""

    kind = FAISS

    def update(self, change: Change) -> int:
        source = change.old / FILE if change.old else None
        target = change.folder / FILE
        return update(source, target, change.added, change.removed, change.dimension)

    def check(self, folder: Path, manifest: Manifest) -> None:
        """The hash in the manifest says it all."""

    def open(self, folder: Path, manifest: Manifest, truth: Truth) -> DenseIndex:
        return DenseIndex(folder / FILE)

    def release(self, folder: Path, others: Sequence[Path]) -> bool:
        if (folder / ELSEWHERE).exists():  # the settings no longer say how to reach that store
            what = "its vectors stay in the store that it names: remove them there"
            log.warning("%s goes; %s", folder.name, what)
        return True

    def drop(self, collection: str, root: Path) -> None:
        """It goes with the folder."""

    def close(self) -> None:
        """It holds nothing."""


def update(
    source: Path | None,
    target: Path,
    added: Iterable[tuple[Ids, Vectors]],
    removed: Sequence[int],
    dimension: int,
) -> int:
    """Write `source` (None: an empty index) with changes to `target`; give its size.

    `added`: blocks of (ids of shape (n,), vectors of shape (n, dimension)), each held only
    while it is copied into the index.
    """
    import faiss

    index: Any = _plain(dimension) if source is None else faiss.read_index(str(source))
    if len(removed) and index.ntotal:
        index.remove_ids(np.asarray(removed, dtype=np.int64))
    for ids, vectors in added:
        index.add_with_ids(np.ascontiguousarray(vectors), ids)
    index = _grown(index)
    faiss.write_index(index, str(target))
    return int(index.ntotal)


def _plain(dimension: int) -> Any:
    import faiss

    return faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))


def _probes(lists: int, share: float) -> int:
    return min(lists, max(1, round(lists * share)))


def _grown(index: Any) -> Any:
    """The same content in inverted lists, once it is too large to scan or has outgrown them."""
    import faiss

    lists = getattr(index, "nlist", 0)
    wanted = round(4 * index.ntotal**0.5)
    if index.ntotal <= EXACT_UNTIL or (lists and wanted < lists * _RETRAIN_GROWTH):
        return index
    ids, read = _reader(index)
    grown = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(index.d), index.d, wanted, faiss.METRIC_INNER_PRODUCT
    )
    sample = np.random.default_rng(0).permutation(len(ids))[: 50 * wanted]
    grown.cp.niter = 10
    faiss.omp_set_num_threads(os.cpu_count() or 1)  # searching has set it to one
    grown.train(np.concatenate([read(some) for some in _blocks(np.sort(sample))]))
    for some in _blocks(np.arange(len(ids))):
        grown.add_with_ids(read(some), ids[some])
    faiss.omp_set_num_threads(1)
    return grown


def _blocks(positions: Ids) -> Iterator[Ids]:
    """The positions in pieces: a copy of all vectors would double what growing takes."""
    for at in range(0, len(positions), _BLOCK):
        yield positions[at : at + _BLOCK]


def _reader(index: Any) -> tuple[Ids, Callable[[Ids], Vectors]]:
    """All ids of an index of either kind, and what reads the vectors at some of their positions."""
    faiss: Any = importlib.import_module("faiss")  # its stubs lack DirectMap
    ids = _ids(index)
    if not hasattr(index, "nlist"):
        return ids, index.index.reconstruct_batch
    index.set_direct_map_type(faiss.DirectMap.Hashtable)
    return ids, lambda some: index.reconstruct_batch(ids[some])


def _ids(index: Any) -> Ids:
    import faiss

    if not hasattr(index, "nlist"):
        return np.asarray(faiss.vector_to_array(index.id_map), dtype=np.int64)
    lists = index.invlists
    parts = [
        faiss.rev_swig_ptr(lists.get_ids(i), lists.list_size(i)).copy()
        for i in range(index.nlist)
        if lists.list_size(i)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
