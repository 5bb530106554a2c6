"""A classifier of rows of a table: gradient-boosted trees as plain arrays, calibrated, explained.

Served with numpy alone. What a column added is the sum of how far its splits moved the score on
the row's way down (Saabas 2014): exact sums, not Shapley values. Not here: training (fit_trees.py).
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier.model import TOLD, Example, Prediction
from models.classifier.rows import Columns, Row

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Nodes:
    """All trees, one after another; a row goes left where its feature is at most `limit`.

    `feature` is -1 in leaves; `value` of an inner node is the mean of what is under it; `roots` are
    where trees begin, and `label` what each tree adds to.
    """

    feature: NDArray[np.int32]
    limit: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    label: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Trees:
    """`start` (labels,): scores before any tree. Others as in model.Classifier."""

    labels: tuple[str, ...]
    columns: Columns
    nodes: Nodes
    start: NDArray[np.float64]
    temperature: float
    encoder: tuple[str, str]
    measured: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    vectors: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """One prediction a row."""
        return [self._told(row) for row in self.columns(rows)]

    def read(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text that holds a row as `Header: value; ...`; where it holds none,
        the labels are as likely as they were in training, whatever a row of gaps would get.
        """
        rows = [self.columns.read(text) for text in texts]
        return [self.predict([row])[0] if row else self._told(None) for row in rows]

    def nearest(self, vector: Floats, k: int) -> list[Example]:
        """The k examples nearest to a vector, the nearest last."""
        if not len(self.vectors) or k <= 0:
            return []
        return [self.examples[int(at)] for at in np.argsort(self.vectors @ vector)[-k:]]

    def moved(self, row: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each feature added to each label's score: (labels, features + 1), the last column
        what was added whatever the row is. Rows sum to the scores.
        """
        nodes, found = self.nodes, np.zeros((len(self.labels), len(row) + 1))
        found[:, -1] = self.start
        at, whose = nodes.roots.copy(), nodes.label
        np.add.at(found[:, -1], whose, nodes.value[at])
        while len(going := np.flatnonzero(nodes.feature[at] >= 0)):
            at, whose = at[going], whose[going]
            asked = row[nodes.feature[at]]
            left = np.where(np.isnan(asked), nodes.missing_left[at], asked <= nodes.limit[at])
            after = np.where(left, nodes.left[at], nodes.right[at])
            np.add.at(found, (whose, nodes.feature[at]), nodes.value[after] - nodes.value[at])
            at = after
        return found

    def _told(self, row: NDArray[np.float64] | None) -> Prediction:
        """None: nothing is known of the row."""
        moved = self.start[:, None] * self.temperature if row is None else self.moved(row)
        scores = moved.sum(axis=1) / self.temperature
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        order = np.argsort(-scores, kind="stable")
        first, second = int(order[0]), int(order[1])
        apart = moved[first, :-1] - moved[second, :-1]
        names = self.columns.names
        most = [int(n) for n in np.argsort(-abs(apart), kind="stable")[:TOLD] if apart[n]]
        because = () if row is None else tuple(
            (_shown(names[n], row[n]), round(float(apart[n]), 3)) for n in most
        )  # fmt: skip
        return Prediction(
            self.labels[first], round(float(chances[first]), 4), because,
            {label: round(float(c), 4) for label, c in zip(self.labels, chances, strict=True)},
        )  # fmt: skip

    def packed(self) -> bytes:
        """As bytes; `unpacked` reads them. No pickles."""
        told = {
            "labels": self.labels, "columns": self.columns.columns, "passed": self.columns.passed,
            "encoder": self.encoder,
            "temperature": self.temperature, "measured": dict(self.measured),
            "examples": [[e.text, e.label, e.said, e.confidence] for e in self.examples],
        }  # fmt: skip
        arrays = {f"nodes_{name}": getattr(self.nodes, name) for name in Nodes.__slots__}
        body = io.BytesIO()
        np.savez_compressed(
            body, allow_pickle=False, rows=np.frombuffer(json.dumps(told).encode(), np.uint8),
            start=self.start, vectors=self.vectors.astype(np.float16), **arrays,
        )  # fmt: skip
        return body.getvalue()


def unpacked(body: bytes) -> Trees | None:
    """What `packed` wrote; None where the bytes are a classifier of texts."""
    with np.load(io.BytesIO(body), allow_pickle=False) as kept:
        if "rows" not in kept:
            return None
        told = json.loads(kept["rows"].tobytes().decode())
        return Trees(
            tuple(told["labels"]),
            Columns(tuple((name, tuple(values)) for name, values in told["columns"]),
                    tuple(told["passed"])),
            Nodes(*(kept[f"nodes_{name}"] for name in Nodes.__slots__)), kept["start"],
            told["temperature"], tuple(told["encoder"]), told["measured"],
            tuple(Example(*one) for one in told["examples"]), kept["vectors"].astype(np.float32),
        )  # fmt: skip


def _shown(name: str, value: float) -> str:
    """The feature and what the row has of it."""
    if " = " in name:
        return name if value else name.replace(" = ", " is not ", 1)
    return f"{name} = {value:g}" if not np.isnan(value) else f"{name} is missing"
