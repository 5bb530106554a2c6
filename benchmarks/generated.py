"""Generated passages: words drawn with SciFact's own frequencies, vectors drawn in clusters.

Written into the database and indexed by the product's own functions. Not here: measuring.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ground import opened
from benchmarks.passages import Vectors

if TYPE_CHECKING:
    from pipeline.library import Library

WORDS, PER_DOCUMENT, CHUNK = 90, 10, 100
DIMENSION = 384


def clustered(count: int, clusters: int = 1000, seed: int = 0) -> Vectors:
    """Unit vectors around random centres; cosine to the own centre is about 0.77.

    Cluster sizes follow a Zipf law, as topics do.
    """
    random = np.random.default_rng(seed)
    centres = _unit(np.random.default_rng(1).standard_normal((clusters, DIMENSION)))
    weights = 1 / np.arange(1, clusters + 1)
    chosen = random.choice(clusters, count, p=weights / weights.sum())
    noise = random.standard_normal((count, DIMENSION), dtype=np.float32) / DIMENSION**0.5
    return _unit(centres[chosen] + 0.8 * noise)


def jittered(vectors: Vectors, count: int, seed: int = 0) -> Vectors:
    """`vectors` repeated up to `count` with noise; cosine to the original is about 0.9."""
    random = np.random.default_rng(seed)
    rows = vectors[np.arange(count) % len(vectors)]
    noise = random.standard_normal((count, vectors.shape[1]), dtype=np.float32)
    noise[: len(vectors)] = 0
    return _unit(rows + 0.5 * noise / vectors.shape[1] ** 0.5)


def _unit(rows: Any) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def texts(corpus: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """Passages of WORDS words, drawn with the corpus' word frequencies (about Zipf's)."""
    words = Counter(word for text in corpus for word in text.split())
    names = np.array(list(words))
    weights = np.array(list(words.values()), dtype=float)
    random = np.random.default_rng(seed)
    drawn = random.choice(len(names), (count, WORDS), p=weights / weights.sum())
    return [" ".join(names[row]) for row in drawn]


def fill(workspace: Path, made: list[str], vectors: Vectors) -> Library:
    """A collection of these passages, stored and indexed; nothing is encoded."""
    from store import collections, documents, passages

    library = opened(workspace, create=True)
    owner, encoder = library.collection().id, library.encoder.fingerprint
    halves = vectors.astype("<f2")
    step = PER_DOCUMENT * CHUNK
    for start in range(0, len(made), step):
        some = made[start : start + step]
        with library.database.write() as connection:
            revision = collections.bump(connection, owner)
            for at in range(0, len(some), PER_DOCUMENT):
                new = document(f"d{start + at}", some[at : at + PER_DOCUMENT])
                documents.put(connection, owner, revision, new)
            rows = [(sha(text), halves[start + i].tobytes()) for i, text in enumerate(some)]
            passages.put_vectors(connection, encoder, rows)
    library.shelf.refresh()
    return library


def document(key: str, some: Sequence[str]) -> Any:
    """A stored document whose lines are its passages."""
    from store.incoming import NewDocument, NewPassage

    ends = list(itertools.accumulate(len(text) + 1 for text in some))
    cut = tuple(
        NewPassage(start=end - 1 - len(text), end=end - 1, kind="text", page=None, heading=(),
                   table_name=None, row=None, context="", text=text, embed_sha=sha(text))
        for text, end in zip(some, ends, strict=True)
    )  # fmt: skip
    whole = "\n".join(some)
    return NewDocument(
        key=key, title="", source="generated", media_type="text/plain", sha256=sha(whole),
        text=whole, layout=[], metadata={}, warnings=(), passages=cut, tables=(),
    )  # fmt: skip


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
