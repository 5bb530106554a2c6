"""The shipped weights: two tables of one byte a weight, their scales and their trusts, in one npz.

A weight w is kept as a signed byte q with w = scale * sign(q) * (|q| / 127) ** 2, which is fine
where most weights are. Read without pickle. Not here: what they weigh (rank.py, trust.py).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from retrievers.tableqa.rank import BITS, Table
from retrievers.tableqa.trust import Trust

SHIPPED = Path(__file__).parent / "weights.npz"


@dataclass(frozen=True, slots=True)
class Ranker:
    """One fitted judge: a table of 2 ** BITS weights and the trust in what it ranks first."""

    weights: Table
    trust: Trust


@dataclass(frozen=True, slots=True)
class Weights:
    """Both judges; either may be missing while the other is fitted."""

    questions: Ranker | None = None
    claims: Ranker | None = None

    @classmethod
    def load(cls, path: Path | BinaryIO = SHIPPED) -> Weights:
        """From a file; ValueError when it is none of ours, OSError when it cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as file:
                found = {name: _read(file, name) for name in ("questions", "claims")}
        except (KeyError, zipfile.BadZipFile, EOFError, TypeError) as error:
            raise ValueError(f"{path} holds no table weights ({error}): fit them anew") from None
        return cls(**found)

    def save(self, path: Path | BinaryIO) -> None:
        """Writes a file that `load` reads; weights lose what a byte does not hold."""
        parts: dict[str, NDArray[np.generic]] = {}
        for name, ranker in (("questions", self.questions), ("claims", self.claims)):
            if ranker:
                scale = float(np.abs(ranker.weights).max()) or 1.0
                parts[name] = packed(ranker.weights, scale)
                parts[f"{name}_scale"] = np.array([scale], np.float64)
                parts[f"{name}_trust"] = ranker.trust.flat
        np.savez_compressed(path, **parts)  # type: ignore[arg-type]


def packed(weights: Table, scale: float) -> NDArray[np.int8]:
    """One signed byte a weight."""
    share = np.sqrt(np.abs(weights) / scale)
    return np.asarray(np.sign(weights) * np.rint(share * 127)).astype(np.int8)


def unpacked(bytes_: NDArray[np.int8], scale: float) -> Table:
    """The weights of `packed`, as far as a byte holds them."""
    signed = bytes_.astype(np.float32)
    return (np.sign(signed) * (np.abs(signed) / 127) ** 2 * np.float32(scale)).astype(np.float32)


def _read(file: np.lib.npyio.NpzFile, name: str) -> Ranker | None:
    if name not in file.files:
        return None
    bytes_ = file[name]
    if bytes_.shape != (1 << BITS,) or bytes_.dtype != np.int8:
        raise ValueError(f"the table {name} is {bytes_.dtype}{bytes_.shape}, not int8{1 << BITS}")
    scale = float(file[f"{name}_scale"][0])
    return Ranker(unpacked(bytes_, scale), Trust.read(file[f"{name}_trust"]))
