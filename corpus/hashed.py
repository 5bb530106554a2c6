"""A linear model over hashed features: small in a file, fast without any library but NumPy.

Feature hashing after Weinberger et al., ICML 2009 (arXiv 0902.2206): a feature's name is its
place. The weights lie in NAME.npz, what they are and what they were fitted on in NAME.json beside
it. Not here: which features (orders.py, verifiers/toxic.py), fitting (benchmarks/fit_guard.py).
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotfish.errors import SettingsError
from store.files import file_sha256


def places(features: Iterable[str], bits: int) -> NDArray[np.int64]:
    """The places of the features among 2**bits, each once."""
    mask = (1 << bits) - 1
    found = {zlib.crc32(feature.encode()) & mask for feature in features}
    return np.fromiter(sorted(found), np.int64, len(found))


@dataclass(frozen=True)
class Hashed:
    """P = logistic(bias + mean-normalised sum of the weights at the features' places).

    weights: (2**bits,). threshold: above it the model's answer is yes; measured in its card.
    """

    weights: NDArray[np.float32]
    bias: float
    threshold: float

    def __call__(self, features: Iterable[str]) -> float:
        """A probability between 0 and 1, uncalibrated for other data."""
        return self.at(places(features, len(self.weights).bit_length() - 1))

    def at(self, found: NDArray[np.int64]) -> float:
        """The same, of places."""
        if not len(found):
            return 0.0
        total = self.bias + float(self.weights[found].sum()) / math.sqrt(len(found))
        return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, total))))


def load(card: Path) -> Hashed:
    """The model whose card this is. SettingsError when the weights are not those of the card."""
    weights = card.with_suffix(".npz")
    try:
        told: dict[str, Any] = json.loads(card.read_text(encoding="utf-8"))
        if file_sha256(weights) != told["sha256"]:
            raise SettingsError(f"{weights} is not what its card says: reinstall pilotfish")
        with np.load(weights, allow_pickle=False) as held:
            values = held["weights"].astype(np.float32)
        return Hashed(values, float(told["bias"]), float(told["threshold"]))
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(
            f"{card} holds no usable model ({error}): reinstall pilotfish"
        ) from None


def save(card: Path, model: Hashed, told: dict[str, Any]) -> None:
    """Write the weights (float16) and the card that describes them."""
    weights = card.with_suffix(".npz")
    np.savez_compressed(weights, weights=model.weights.astype(np.float16))
    fields = {**told, "bias": round(model.bias, 5), "threshold": round(model.threshold, 5)}
    fields["sha256"] = file_sha256(weights)
    card.write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
