"""Texts to vectors with ONNX Runtime and the `tokenizers` library, from an export made once.

Not here: torch or sentence-transformers (they export, in a child process), search, storage.
One session with one inner thread is shared by several calling threads: on a CPU that beats one
session with inner threads, since nothing but the queue of batches is shared (benchmarks/export.py).
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models import manifest as manifests
from models.batches import Batch, plan
from models.manifest import Manifest
from models.weights import DEFAULT_MODEL, Weights, resolve
from pilotfish.errors import SettingsError

log = logging.getLogger(__name__)
WINDOW = 4096
Vectors = NDArray[np.float32]


class Encoder:
    """A sentence encoder served by ONNX Runtime; thread-safe.

    name: `all-MiniLM-L6-v2` (packaged), a local folder, or a Hugging Face name.
    cache: folder of exports (default PILOTFISH_CACHE, else ~/.cache/pilotfish).
    threads: batches encoded at once; 0 takes every core this process may use.
    Raises SettingsError where the model cannot be had, exported or trusted.
    """

    def __init__(
        self, name: str = DEFAULT_MODEL, cache: Path | None = None, threads: int = 0
    ) -> None:
        weights = resolve(name)
        folder, manifest = ready(weights, manifests.cache_root(cache))
        self.name = weights.name
        self.fingerprint = manifest.fingerprint
        self.dimension = manifest.dimension
        self.limit = manifest.limit
        self._manifest = manifest
        self._threads = threads or cores()
        self._session = open_session(folder / manifests.GRAPH)
        self._inputs = [given.name for given in self._session.get_inputs()]
        self._tokenizer = open_tokenizer(folder / manifests.TOKENIZER)
        self._cutting = open_tokenizer(folder / manifests.TOKENIZER, manifest.limit)

    def encode(
        self,
        texts: Sequence[str],
        *,
        kind: Literal["passage", "query"] = "passage",
        progress: Callable[[int], None] | None = None,
    ) -> Vectors:
        """L2-normalised vectors, float32 (len(texts), dimension), in the order of `texts`.

        kind: which of the model's own prompts stands before each text, if it has any.
        progress: called in this thread with the number of texts newly done.
        Texts beyond `limit` tokens are cut there, as sentence-transformers does.
        """
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        prompt = self._manifest.prompts.get(kind, "")
        for start in range(0, len(texts), WINDOW):
            window = [prompt + text for text in texts[start : start + WINDOW]]
            for index, rows in self._run(window):
                vectors[start + np.array(index)] = rows
                if progress is not None:
                    progress(len(index))
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, without specials and without cutting at `limit`."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    def readable(self, text: str) -> float:
        """Share of the text's characters (white space aside) that the vocabulary can represent.

        A vocabulary without an unknown token, and an empty text, give 1.0.
        """
        total = sum(not character.isspace() for character in text)
        if self._manifest.unknown is None or total == 0:
            return 1.0
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        pairs = zip(encoding.tokens, encoding.offsets, strict=True)
        spans = (span for token, span in pairs if token == self._manifest.unknown)
        unknown = sum(not c.isspace() for start, end in spans for c in text[start:end])
        return 1.0 - unknown / total

    def _run(self, texts: list[str]) -> Iterator[tuple[list[int], Vectors]]:
        tokens = [encoding.ids for encoding in self._cutting.encode_batch_fast(texts)]
        batches = list(plan(tokens, self._manifest.pad))
        if self._threads == 1 or len(batches) == 1:
            yield from map(self._infer, batches)
            return
        with ThreadPoolExecutor(min(self._threads, len(batches))) as pool:
            yield from pool.map(self._infer, batches)

    def _infer(self, batch: Batch) -> tuple[list[int], Vectors]:
        given = {"input_ids": batch.ids, "attention_mask": batch.mask}
        feed = {name: given.get(name, np.zeros_like(batch.ids)) for name in self._inputs}
        return batch.index, self._session.run(None, feed)[0]


_exporting = threading.Lock()


def ready(weights: Weights, root: Path, exporter: str = "models.export") -> tuple[Path, Manifest]:
    """A trusted export of `weights`: the cached one, or a new one from the child process.

    exporter: the module that makes it, called with the model's name and `root`.
    """
    for attempt in range(2):
        folder = manifests.find(weights, root)
        if folder is not None:
            manifest = manifests.read(folder)
            flaw = manifests.flaw(folder, manifest)
            if flaw is None and manifest is not None:
                _same_weights(weights, folder, manifest)
                return folder, manifest
            log.warning("the cached encoder %s is corrupted (%s); exporting again", folder, flaw)
        if attempt == 0:
            _export(weights, root, exporter)
    raise SettingsError(f"the export of {weights.name!r} in {root} is not usable; delete {root}")


def _same_weights(weights: Weights, folder: Path, manifest: Manifest) -> None:
    if weights.sha256 not in (None, manifest.weights_sha256):
        raise SettingsError(
            f"{folder} was exported from weights {manifest.weights_sha256[:12]}…, expected "
            f"{str(weights.sha256)[:12]}…; delete that folder"
        )


def _export(weights: Weights, root: Path, exporter: str) -> None:
    """Run `python -m EXPORTER` in the engine's own folder: a user's `models` never wins."""
    engine = Path(__file__).resolve().parent.parent
    path = os.pathsep.join([str(engine), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", exporter, weights.name, str(root)]
    log.info("exporting %s to %s, once; this takes about half a minute", weights.name, root)
    with _exporting:
        done = subprocess.run(
            command,
            cwd=engine,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise SettingsError(lines[-1] if done.returncode == 3 else _broken(weights, lines[-1]))


def _broken(weights: Weights, line: str) -> str:
    return (
        f"the model {weights.name!r} could not be exported ({line[:300]}); "
        'is `pip install "pilotfish[engine]"` complete?'
    )


def open_session(graph: Path) -> Any:
    """An exported graph on one inner thread, shared by calling threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The graph was optimised when it was exported; optimising again would only cost start-up time.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def open_tokenizer(file: Path, limit: int | None = None) -> Any:
    """The tokenizer without padding, cutting at `limit` tokens when one is given."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    if limit is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(limit)
    return tokenizer


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
