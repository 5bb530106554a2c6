"""Examples to token arrays: pairs of token ids, segments, and span targets in tokens.

The same pair format as in serving (models/pilot.py). Not here: the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.examples import NO_ANSWER, Example
from models.weights import packaged_folder

LIMIT = 256
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Coded:
    """One example as tokens; `start`/`end` are token places, 0 for no answer, IGNORED: no loss."""

    ids: list[int]
    segments: list[int]
    relevant: float
    verdict: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded arrays of one step, (rows, length) or (rows,)."""

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    segments: NDArray[np.int64]
    relevant: NDArray[np.float32]
    verdict: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def tokenizer(limit: int = LIMIT) -> Any:
    """The encoder's tokenizer, cutting only the passage."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(packaged_folder() / "tokenizer.json"))
    made.no_padding()
    made.enable_truncation(limit, strategy="only_second")
    return made


def coded(examples: Sequence[Example], limit: int = LIMIT) -> list[Coded]:
    """Tokens of each pair, in order; a question or claim is cut at 100 words."""
    cutter, found = tokenizer(limit), []
    for start in range(0, len(examples), 2048):
        some = examples[start : start + 2048]
        encoded = cutter.encode_batch([(" ".join(e.asked.split()[:100]), e.passage) for e in some])
        found += [_coded(e, x) for e, x in zip(some, encoded, strict=True)]
    return found


def _coded(example: Example, encoding: Any) -> Coded:
    start, end = _places(example.span, encoding)
    relevant = float("nan") if example.relevant is None else example.relevant
    verdict = IGNORED if example.verdict is None else example.verdict
    return Coded(encoding.ids, encoding.type_ids, relevant, verdict, start, end)


def _places(span: tuple[int, int] | None, encoding: Any) -> tuple[int, int]:
    if span is None:
        return IGNORED, IGNORED
    if span == NO_ANSWER:
        return 0, 0
    first, last = encoding.char_to_token(span[0], 1), encoding.char_to_token(span[1] - 1, 1)
    return (IGNORED, IGNORED) if first is None or last is None else (first, last)


def batches(examples: Sequence[Coded], tokens: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Batches of about equal length under a budget of padded tokens, in random order."""
    noise = rng.uniform(0.9, 1.1, len(examples))
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids) * noise[i])
    planned: list[list[int]] = []
    longest = 0
    for place in order:
        size = len(examples[place].ids)
        if not planned or max(longest, size) * (len(planned[-1]) + 1) > tokens:
            planned.append([])
            longest = 0
        planned[-1].append(place)
        longest = max(longest, size)
    for number in rng.permutation(len(planned)):
        yield padded([examples[place] for place in planned[number]])


def padded(rows: Sequence[Coded]) -> Batch:
    """One batch of these rows."""
    length = max(len(row.ids) for row in rows)
    ids, mask, segments = (np.zeros((len(rows), length), np.int64) for _ in range(3))
    for number, row in enumerate(rows):
        size = len(row.ids)
        ids[number, :size], mask[number, :size] = row.ids, 1
        segments[number, :size] = row.segments
    return Batch(
        ids,
        mask,
        segments,
        np.array([row.relevant for row in rows], np.float32),
        np.array([row.verdict for row in rows]),
        np.array([row.start for row in rows]),
        np.array([row.end for row in rows]),
    )
