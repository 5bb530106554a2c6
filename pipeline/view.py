"""What a rule may look at when it chooses among systems: a batch of prompts, column by column.

`Seen` holds what was computed beforehand (held-out predictions, when rules are fitted); pipeline/
policy.py computes the same for new prompts. Not here: rules (rules.py), judges (hardness.py,
stop.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.logistic import Matrix

Mask = NDArray[np.bool_]
Chain = tuple[int, ...]  # systems in the order of calling, as columns


class View(Protocol):
    """A batch of n prompts and K systems, cheap to strong."""

    @property
    def offered(self) -> Mask:
        """Which systems may be chosen: (n, K)."""

    @property
    def mean_cost(self) -> Matrix:
        """Of one call: (K,)."""

    @property
    def luck(self) -> Matrix:
        """A number in [0, 1) that depends on the prompt's text alone: (n,)."""

    @property
    def wins(self) -> Matrix:
        """P(right) by the prompt alone: (n, K)."""

    def after(self, prefix: Chain, target: int) -> Matrix:
        """P(target right), having read the answers of `prefix`: (n,). target may be its last."""

    def support(self, system: int) -> Matrix:
        """What the verifier gives that system's answer, 0 to 1: (n,)."""


@dataclass(frozen=True)
class Seen:
    """A View of plain arrays."""

    offered: Mask
    mean_cost: Matrix
    luck: Matrix
    wins: Matrix
    read: Mapping[tuple[Chain, int], Matrix] = field(default_factory=dict)
    supports: Mapping[int, Matrix] = field(default_factory=dict)

    def after(self, prefix: Chain, target: int) -> Matrix:
        return self.read[prefix, target]

    def support(self, system: int) -> Matrix:
        return self.supports[system]

    def only(self, rows: Mask) -> Seen:
        """The same of some rows."""
        return replace(
            self, offered=self.offered[rows], luck=self.luck[rows], wins=self.wins[rows],
            read={key: value[rows] for key, value in self.read.items()},
            supports={key: value[rows] for key, value in self.supports.items()},
        )  # fmt: skip


def luck(prompts: Sequence[str]) -> Matrix:
    """A number in [0, 1) for each prompt, the same on every machine."""
    digests = (hashlib.sha256(prompt.encode("utf-8", "replace")).digest() for prompt in prompts)
    return np.array([int.from_bytes(digest[:6], "big") / 2**48 for digest in digests])
