"""Makes the one export of a model's token vectors: the transformer without its pooling, in fp32.

Run as `python -m models.token_export NAME ROOT` in a child process, like models/export.py, whose
cache folders, manifest and renaming it shares. Full precision, because BERTScore compares single
tokens and is counted once a report. Not here: serving (token_vectors.py).
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import graph, samples
from models.export import AGREE, describe, feeds_each, main, outputs, sealed, tokenizer_json
from models.manifest import GRAPH, TOKENIZER, Manifest
from models.weights import Weights
from pilotfish.errors import SettingsError


def build(weights: Weights, work: Path) -> Manifest:
    """Write graph, tokenizer and, last, the manifest into the empty folder `work`."""
    model = graph.load(weights)
    (work / TOKENIZER).write_text(tokenizer_json(model), encoding="utf-8")
    graph.write(model, work / "plain.onnx", "tokens")
    graph.fuse(model, work / "plain.onnx", work / GRAPH)
    note, cosine = "fused", agreement(model, work / GRAPH)
    if cosine < AGREE:
        (work / "plain.onnx").replace(work / GRAPH)
        note, cosine = "plain", agreement(model, work / GRAPH)
    (work / "plain.onnx").unlink(missing_ok=True)
    if cosine < AGREE:
        raise SettingsError(
            f"the export of token vectors disagrees with the model (mean cosine {cosine:.4f}, "
            f"needed {AGREE}); choose another model"
        )
    made = dataclasses.replace(
        describe(model, weights),
        pooling="none", normalise=False, precision="fp32", self_check=cosine, note=note,
    )  # fmt: skip
    return sealed(made, work)


def agreement(model: Any, file: Path) -> float:
    """Mean cosine between the graph's token vectors and torch's, over the check texts."""
    fed = feeds_each(model, samples.check())
    cosines = [
        _cosines(found[0], _with_torch(model, one))
        for found, one in zip(outputs(file, fed), fed, strict=True)
    ]
    return float(np.mean(np.concatenate(cosines), dtype=np.float64))


def _with_torch(model: Any, fed: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
    import torch

    with torch.no_grad():
        features = {name: torch.from_numpy(array) for name, array in fed.items()}
        return np.asarray(model[0](features)["token_embeddings"][0].numpy(), np.float32)


def _cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / np.maximum(norms, 1e-12), np.float32)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], build))
