"""The reference implementations: bm25s over our tokens, sentence-transformers fp32 on torch.

Torch vectors cost minutes, so they are cached by weights and text. Not here: Pilotfish.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ground import cache
from benchmarks.measures import Run
from benchmarks.passages import Vectors, best_documents

K1, B = 1.2, 0.75
DEPTH = 500  # passages read for each query, to have 100 documents


def bm25s_run(texts: Sequence[str], documents: Sequence[str], queries: dict[str, str]) -> Run:
    """bm25s (Lucene's variant) over corpus.tokens; a document is its best passage."""
    import bm25s

    from corpus.tokens import tokens

    index = bm25s.BM25(k1=K1, b=B, method="lucene")
    index.index([tokens(text) for text in texts], show_progress=False)
    run = {}
    for query, text in queries.items():
        scores = index.get_scores(tokens(text))
        order = np.argsort(-scores, kind="stable")[: min(DEPTH, len(texts))]
        run[query] = best_documents(documents, [int(i) for i in order if scores[i] > 0])
    return run


def nearest_run(
    rows: Vectors, asked: Vectors, documents: Sequence[str], queries: Sequence[str]
) -> Run:
    """Exact cosine of L2-normalised vectors; a document is its best passage."""
    run = {}
    for query, scores in zip(queries, asked @ rows.T, strict=True):
        order = np.argsort(-scores, kind="stable")[:DEPTH]
        run[query] = best_documents(documents, order.tolist())
    return run


def torch_vectors(texts: Sequence[str]) -> Vectors:
    """fp32 vectors of the default model; each text is encoded once per machine."""
    from models.weights import DEFAULT_SHA256

    folder = cache() / "torch-vectors" / DEFAULT_SHA256[:16]
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    known = _known(folder)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        fresh = _encode(list(missing.values()))
        _keep(folder, list(missing), fresh)
        known |= dict(zip(missing, fresh, strict=True))
    return np.stack([known[key] for key in keys]).astype(np.float32)


def sentence_transformer() -> Any:
    """The default weights, checked, as sentence-transformers loads them."""
    from sentence_transformers import SentenceTransformer

    from models.weights import packaged_folder, verify_weights

    verify_weights()
    return SentenceTransformer(str(packaged_folder()), device="cpu")


def _encode(texts: list[str]) -> Vectors:
    model = sentence_transformer()
    rows = model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=True)
    return np.asarray(rows, dtype=np.float32)


def _known(folder: Path) -> dict[str, Vectors]:
    known: dict[str, Vectors] = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            known |= dict(zip(stored["keys"].tolist(), stored["rows"], strict=True))
    return known


def _keep(folder: Path, keys: list[str], rows: Vectors) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256("".join(keys).encode()).hexdigest()[:16]
    np.savez(folder / f"{name}.npz", keys=np.array(keys), rows=rows)
