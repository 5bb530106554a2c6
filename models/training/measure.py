"""Scores a network on held-out examples: AUROC of support and relevance by set, reading F1.

For the curves while training; the product's own figures are measured through the product
(benchmarks/). Not here: training.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.auroc import auroc
from models.pilot.serve import OUTSIDE, best_spans
from models.training.coding import IGNORED, Coded, padded
from models.training.examples import SUPPORTED, Example

Outputs = tuple[NDArray[np.float32], NDArray[np.float32], list[NDArray[np.float32]]]
RANKED = {
    "scifact": ("scifact search", "scifact negative"),
    "2wiki": ("2wiki", "2wiki negative"),
    "reading": ("nq_oracle", "xquad", "nq_oracle negative", "xquad negative"),
}


def outputs(pilot: Any, rows: Sequence[Coded], tokens: int = 8192) -> Outputs:
    """(relevance logits, P of the verdicts, span logits of each row) in the order of `rows`."""
    relevance, verdict = np.zeros(len(rows), np.float32), np.zeros((len(rows), 3), np.float32)
    spans: list[NDArray[np.float32]] = [np.zeros((0, 2), np.float32)] * len(rows)
    order = sorted(range(len(rows)), key=lambda place: len(rows[place].ids))
    pilot.eval()
    while order:
        longest = len(rows[order[-1]].ids)
        some, order = order[-max(1, tokens // longest) :], order[: -max(1, tokens // longest)]
        batch = padded([rows[place] for place in some])
        with torch.no_grad():
            given = (torch.from_numpy(a) for a in (batch.ids, batch.mask, batch.segments))
            scores, logits, places = pilot(*given)
        relevance[some] = scores.numpy()
        verdict[some] = torch.softmax(logits, 1).numpy()
        for number, place in enumerate(some):
            spans[place] = places[number, : len(rows[place].ids)].numpy()
    return relevance, verdict, spans


def measured(pilot: Any, examples: Sequence[Example], rows: Sequence[Coded]) -> dict[str, float]:
    """Figures by set; `rows` are the coded `examples`."""
    relevance, verdict, spans = outputs(pilot, rows)
    sets: dict[str, list[int]] = defaultdict(list)
    for place, example in enumerate(examples):
        sets[example.source].append(place)
    found: dict[str, float] = {}
    for name, places in sorted(sets.items()):
        judged = [p for p in places if rows[p].verdict != IGNORED]
        labels = np.array([rows[p].verdict == SUPPORTED for p in judged])
        if 0 < labels.sum() < len(labels):
            found[f"support {name}"] = auroc(labels, verdict[judged, SUPPORTED])
        read = [p for p in places if rows[p].start > 0]
        if read:
            found[f"token f1 {name}"] = float(np.mean([_f1(spans[p], rows[p]) for p in read]))
    ranked = [p for p, row in enumerate(rows) if not np.isnan(row.relevant)]
    for key, members in RANKED.items():
        some = [p for p in ranked if examples[p].source in members]
        labels = np.array([rows[p].relevant > 0.5 for p in some])
        if 0 < labels.sum() < len(labels):
            found[f"relevance {key}"] = auroc(labels, relevance[some])
            if key == "reading":
                found["null margin reading"] = auroc(
                    labels, np.array([margin(spans[p]) for p in some])
                )
    return {name: round(value, 4) for name, value in found.items()}


def best_span(logits: NDArray[np.float32]) -> tuple[int, int, float]:
    """(first, last, score) of the best span of the passage's tokens, as the product takes it."""
    found = best_spans(logits, 1)
    return found[0] if found else (0, 0, 2 * OUTSIDE)


def margin(logits: NDArray[np.float32]) -> float:
    """How far the best span is above "no answer"."""
    return best_span(logits)[2] - float(logits[0].sum())


def _f1(logits: NDArray[np.float32], row: Coded) -> float:
    """Overlap of the best span's tokens with the target's."""
    first, last, _ = best_span(logits)
    shared = max(0, min(last, row.end) - max(first, row.start) + 1)
    return 2 * shared / ((last - first + 1) + (row.end - row.start + 1))


Measure = Callable[[Any, Sequence[Example], Sequence[Coded]], dict[str, float]]
