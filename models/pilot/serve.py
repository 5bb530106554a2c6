"""Serves the packaged cross-encoder by ONNX Runtime: pairs in, one Reading each out.

Each pair is read once: rerank, extract and the verifiers ask for the same ones. Not here: what a
reading is worth (retrievers/, pipeline/, verifiers/); torch.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.encoder import cores, open_session
from models.pilot.kept import Kept
from models.pilot.reading import Pair, Reading
from models.weights import packaged_folder
from pilotfish.errors import SettingsError
from store.files import file_sha256

FOLDER = Path(__file__).parent
GRAPH, MANIFEST = "pilot.onnx", "manifest.json"
LIMIT, TOKENS = 256, 2048
QUESTION_WORDS = 100
SPANS, LONGEST = 4, 30
OUTSIDE = -29.9  # the network gives -30 to tokens that are not of the passage
Logits = NDArray[np.float32]


class Pilot:
    """The judge that comes with the package; thread-safe, loaded at its first use.

    threads: batches that are read at once; 0: one a core. Raises SettingsError when the weights
    are not those of the manifest.
    """

    name = "pilot"

    def __init__(self, folder: Path = FOLDER, threads: int = 0) -> None:
        self._folder = folder
        self._threads = threads or cores()
        self._kept = Kept()
        self._loading = threading.Lock()

    @cached_property
    def identity(self) -> str:
        """Its weights, by the manifest; SettingsError where there are none."""
        return f"pilot:{promised(self._folder)[:12]}"

    def __call__(self, pairs: Sequence[Pair]) -> list[Reading]:
        """A reading of each pair, in order. What is beyond 256 tokens of a pair is not read."""
        return self._kept(pairs, self._read)

    def _read(self, pairs: list[Pair]) -> list[Reading]:
        session, tokenizer = self._loaded
        cut = [(" ".join(asked.split()[:QUESTION_WORDS]), text) for asked, text in pairs]
        encoded = tokenizer.encode_batch(cut)
        readings: list[Reading | None] = [None] * len(pairs)

        def infer(places: list[int]) -> None:
            rows = [encoded[place] for place in places]
            outputs = session.run(None, arrays(rows))
            for number, place in enumerate(places):
                readings[place] = reading(rows[number], *(output[number] for output in outputs))

        planned = plan([len(row.ids) for row in encoded])
        if self._threads == 1 or len(planned) == 1:
            for places in planned:
                infer(places)
        else:
            with ThreadPoolExecutor(min(self._threads, len(planned))) as pool:
                list(pool.map(infer, planned))
        return [one for one in readings if one is not None]

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        with self._loading:
            return _load(self._folder)


def shipped(folder: Path = FOLDER) -> bool:
    """Whether there are weights at all."""
    return (folder / GRAPH).is_file() and (folder / MANIFEST).is_file()


def promised(folder: Path = FOLDER) -> str:
    """The sha256 that the manifest gives for the weights; SettingsError where there are none."""
    if not shipped(folder):
        raise SettingsError(
            f"no pilot weights in {folder}: set judge to rules, or train "
            "(python -m models.training fit, then ship)"
        )
    try:
        return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{folder} holds no usable pilot ({error}): reinstall pilotfish"
        ) from None


def _load(folder: Path) -> tuple[Any, Any]:
    from tokenizers import Tokenizer

    file, expected = folder / GRAPH, promised(folder)
    if file_sha256(file) != expected:
        raise SettingsError(f"{file} is not what its manifest says: reinstall pilotfish")
    tokenizer = Tokenizer.from_file(str(packaged_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LIMIT, strategy="only_second")
    return open_session(file), tokenizer


def plan(lengths: Sequence[int]) -> list[list[int]]:
    """Places of rows by batch: near in length, at most TOKENS padded tokens together."""
    planned: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if not planned or lengths[place] * (len(planned[-1]) + 1) > TOKENS:
            planned.append([])
        planned[-1].append(place)
    return planned


def arrays(rows: Sequence[Any]) -> dict[str, NDArray[np.int64]]:
    """The network's inputs for these encodings: ids, mask and segments, (rows, length)."""
    length = max(len(row.ids) for row in rows)
    made = {name: np.zeros((len(rows), length), np.int64) for name in ("ids", "mask", "segment")}
    for number, row in enumerate(rows):
        size = len(row.ids)
        made["ids"][number, :size], made["mask"][number, :size] = row.ids, 1
        made["segment"][number, :size] = row.type_ids
    return made


def reading(row: Any, relevance: Any, verdict: Logits, spans: Logits) -> Reading:
    """The network's outputs of one row in the texts' own terms."""
    size = len(row.ids)
    weights = np.exp(verdict - verdict.max())
    supported, contradicted, unsupported = (weights / weights.sum()).tolist()
    places = best_spans(spans[:size])
    found = tuple((row.offsets[a][0], row.offsets[b][1], score) for a, b, score in places)
    null = float(spans[0, 0] + spans[0, 1])
    return Reading(float(relevance), supported, contradicted, unsupported, found, null)


def best_spans(logits: Logits, count: int = SPANS) -> list[tuple[int, int, float]]:
    """(first, last, logit) token spans of the passage, best first, none inside another's ends.

    logits: (length, 2) of start and end; the first token, "no answer", is left out.
    """
    size = len(logits)
    total = logits[:, None, 0] + logits[None, :, 1]
    allowed = np.triu(np.ones((size, size), bool)) & ~np.triu(np.ones((size, size), bool), LONGEST)
    passage = logits[:, 0] > OUTSIDE
    passage[0] = False
    total = np.where(allowed & passage[:, None] & passage[None, :], total, -np.inf)
    found: list[tuple[int, int, float]] = []
    while len(found) < count:
        first, last = divmod(int(total.argmax()), size)
        if not np.isfinite(total[first, last]):
            break
        found.append((first, last, float(total[first, last])))
        total[: last + 1, first:] = -np.inf  # whatever overlaps it
    return found
