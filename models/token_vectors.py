"""Texts to one vector a token, for measures that match tokens (BERTScore), by ONNX Runtime.

The same weights and tokenizer as the encoder's, before its pooling. Not here: the matching
(bertscore.py), sentence vectors (encoder.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import manifest as manifests
from models.batches import Batch, plan
from models.encoder import cores, open_session, open_tokenizer, ready
from models.weights import DEFAULT_MODEL, resolve

FOLDER = "token-encoders"  # beside the encoders' folder in the cache


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's tokens without specials: `ids` (n), L2-normalised `vectors` (n, dimension).

    unknown: share of the tokens that the vocabulary does not have. cut: whether the text went on.
    """

    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    unknown: float = 0.0
    cut: bool = False


class TokenEncoder:
    """A model's token vectors, exported once; thread-safe.

    name, cache, threads: as of `models.encoder.Encoder`.
    Raises SettingsError where the model cannot be had, exported or trusted.
    """

    def __init__(
        self, name: str = DEFAULT_MODEL, cache: Path | None = None, threads: int = 0
    ) -> None:
        root = manifests.cache_root(cache).with_name(FOLDER)
        folder, manifest = ready(resolve(name), root, "models.token_export")
        self.name = manifest.model
        self.limit = manifest.limit
        self.dimension = manifest.dimension
        self._pad, self._threads = manifest.pad, threads or cores()
        self._session = open_session(folder / manifests.GRAPH)
        self._inputs = [given.name for given in self._session.get_inputs()]
        self._tokenizer = open_tokenizer(folder / manifests.TOKENIZER, manifest.limit)
        unknown = manifest.unknown
        self._unknown = None if unknown is None else self._tokenizer.token_to_id(unknown)

    def ids(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Token ids of each text without specials, cut as `encode` cuts; no inference."""
        found = self._tokenizer.encode_batch(list(texts))
        return [np.array(one.ids, np.int64)[~_specials(one)] for one in found]

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text, in order; a text without any gives none."""
        encodings = self._tokenizer.encode_batch(list(texts))
        batches = list(plan([one.ids for one in encodings], self._pad))
        rows: list[NDArray[np.float32]] = [np.zeros((0, 0), np.float32)] * len(encodings)
        with ThreadPoolExecutor(self._threads) as pool:
            for batch, vectors in zip(batches, pool.map(self._infer, batches), strict=True):
                for place, row in enumerate(batch.index):
                    rows[row] = vectors[place]
        return [self._tokens(one, row) for one, row in zip(encodings, rows, strict=True)]

    def _infer(self, batch: Batch) -> NDArray[np.float32]:
        given = {"input_ids": batch.ids, "attention_mask": batch.mask}
        feed = {name: given.get(name, np.zeros_like(batch.ids)) for name in self._inputs}
        return np.asarray(self._session.run(None, feed)[0], np.float32)

    def _tokens(self, encoding: Any, vectors: NDArray[np.float32]) -> Tokens:
        real = ~_specials(encoding)
        ids = np.array(encoding.ids, np.int64)[real]
        rows = vectors[: len(real)][real]
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        unknown = float((ids == self._unknown).mean()) if len(ids) else 0.0
        cut = bool(encoding.overflowing)
        return Tokens(ids, np.asarray(rows, np.float32), unknown, cut)


def _specials(encoding: Any) -> NDArray[np.bool_]:
    return np.array(encoding.special_tokens_mask, np.bool_)
