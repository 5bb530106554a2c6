"""A pool of demonstrations of one or several tasks, and the pickers: none, random, BM25, dense,
tuned.

UPRISE (arXiv 2303.08518): a retriever of prompts, tuned by what a frozen model makes of them. The
adapter moves inputs and demonstrations alike: v -> v + (v U) V, unit length again. Not here: tuning
it (models/contrast.py, pipeline/demonstrations.py), the step (prompters/demos.py).
"""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from corpus.tokens import tokens

Floats = NDArray[np.float32]
How = Literal["none", "random", "bm25", "dense", "tuned"]
NEAREST = 8  # demonstrations that tell an input's task
HOWS: tuple[How, ...] = ("none", "random", "bm25", "dense", "tuned")


@dataclass(frozen=True, slots=True)
class Demo:
    """A solved input. `task`: of what it is an example."""

    input: str
    output: str
    task: str = ""


@dataclass(frozen=True)
class Pool:
    """`vectors` (demos, dimension) of unit length, by the encoder of this fingerprint.

    down (dimension, rank), up (rank, dimension): the adapter; empty without one. gates: task ->
    how its demonstrations are picked, `none` where they do not help.
    """

    demos: tuple[Demo, ...]
    vectors: Floats
    encoder: tuple[str, str]
    down: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    up: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    gates: Mapping[str, How] = field(default_factory=dict)

    def task_of(self, vector: Floats) -> str:
        """The task of most of the demonstrations nearest to an input."""
        near = np.argsort(-(self.vectors @ vector), kind="stable")[:NEAREST]
        found = Counter(self.demos[int(at)].task for at in near)
        return found.most_common(1)[0][0] if found else ""

    def outside(self, task: str) -> frozenset[int]:
        """The places of other tasks' demonstrations."""
        return frozenset(at for at, one in enumerate(self.demos) if one.task != task)

    @cached_property
    def adapted(self) -> Floats:
        """The vectors as the adapter moves them."""
        return self.moved(self.vectors)

    def moved(self, vectors: Floats) -> Floats:
        """Vectors through the adapter; as they are without one."""
        if not self.down.size:
            return vectors
        rows = vectors + (vectors @ self.down) @ self.up
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def pick(
        self, text: str, vector: Floats, k: int, how: How, skip: frozenset[int] = frozenset()
    ) -> list[int]:
        """Places of k demonstrations, the most similar last; never those of `skip`."""
        if how == "none" or k <= 0:
            return []
        if how == "random":
            free = [at for at in range(len(self.demos)) if at not in skip]
            return random.Random(text).sample(free, min(k, len(free)))
        scores = self._scores(text, vector, how)
        order = np.argsort(-scores, kind="stable")[: k + len(skip)]
        return [int(at) for at in order if int(at) not in skip][:k][::-1]

    def _scores(self, text: str, vector: Floats, how: How) -> Any:
        if how == "bm25":
            return self._bm25.get_scores(tokens(text))
        if how == "tuned":
            return self.adapted @ self.moved(vector[None])[0]
        return self.vectors @ vector

    @cached_property
    def _bm25(self) -> Any:
        from rank_bm25 import BM25Okapi

        return BM25Okapi([tokens(one.input) or ["-"] for one in self.demos])

    def packed(self) -> bytes:
        """As bytes; `unpacked` reads them. No pickles."""
        told = {
            "demos": [[d.input, d.output, d.task] for d in self.demos],
            "encoder": self.encoder, "gates": dict(self.gates),
        }  # fmt: skip
        body = io.BytesIO()
        np.savez_compressed(
            body, told=np.frombuffer(json.dumps(told).encode(), np.uint8),
            vectors=self.vectors.astype(np.float16), down=self.down, up=self.up,
        )  # fmt: skip
        return body.getvalue()


def unpacked(body: bytes) -> Pool:
    """What `packed` wrote."""
    with np.load(io.BytesIO(body), allow_pickle=False) as kept:
        told = json.loads(kept["told"].tobytes().decode())
        demos = tuple(Demo(*one) for one in told["demos"])
        vectors = kept["vectors"].astype(np.float32)
        return Pool(demos, vectors, tuple(told["encoder"]), kept["down"], kept["up"], told["gates"])


def tasks(demos: Sequence[Demo]) -> list[str]:
    """The tasks, in order of appearance."""
    return list(dict.fromkeys(one.task for one in demos))
