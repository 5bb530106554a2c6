"""Cross-encoders by name in the pilot's place: rerankers, NLI models, MiniCheck, HHEM.

Any sequence classifier that sentence-transformers' CrossEncoder loads, from a folder or from
Hugging Face. What its labels mean is read from the model's own configuration: three labels are an
NLI model (the passage is the premise), two a support checker such as MiniCheck or HHEM (the last
one, or the one called so, is "supported"), one a reranker or a single support score. What the
model does not say, the pilot says, or nobody where none was shipped. Imports torch when first used.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.pilot.kept import Kept
from models.pilot.reading import Head, Judge, Pair, Reading, heads_of, identity_of
from pilotfish.errors import SettingsError

Heads = Literal["relevance", "support"]
_SUPPORTED = ("entail", "support", "consistent", "factual", "grounded", "yes", "true")
_AGAINST = ("contradict", "refut", "hallucin", "inconsistent", "not_", "un", "no", "false")


@dataclass(frozen=True, slots=True)
class Meaning:
    """Columns of the logits that mean supported and contradicted; None where there is none."""

    supported: int
    contradicted: int | None


class Other:
    """A model by name for one purpose, over a judge that says the rest.

    Raises SettingsError at its first use where the model cannot be had or is no classifier.
    """

    def __init__(self, name: str, heads: Heads, rest: Judge) -> None:
        self.name = name
        self.heads = heads
        self.rest = rest
        self._kept = Kept()
        self._loading = threading.Lock()

    @property
    def knows(self) -> frozenset[Head]:
        """Its own head, and those of the judge under it."""
        return heads_of(self.rest) | {self.heads}

    @property
    def identity(self) -> str:
        """Its name and purpose, after the judge under it."""
        return "+".join(filter(None, (identity_of(self.rest), f"{self.heads}:{self.name}")))

    def __call__(self, pairs: Sequence[Pair]) -> list[Reading]:
        """Readings whose relevance, or verdict, is this model's."""
        rest = self.rest(pairs)
        if self.heads == "relevance":
            own = self._kept(pairs, self._ranked)
            return [replace(r, relevance=o.relevance) for r, o in zip(rest, own, strict=True)]
        return [
            replace(one, relevance=r.relevance, spans=r.spans, null=r.null)
            for r, one in zip(rest, self.verdicts(pairs), strict=True)
        ]

    def verdicts(self, pairs: Sequence[Pair]) -> list[Reading]:
        """This model's verdict alone: what says the rest is not asked."""
        return self._kept(pairs, self._judged)

    def _ranked(self, pairs: list[Pair]) -> list[Reading]:
        scores = self._logits([(asked, text) for asked, text in pairs])
        column = scores[:, -1] if scores.shape[1] < 3 else scores.max(1)
        return [Reading(float(score), 0.0, 0.0, 1.0) for score in column]

    def _judged(self, pairs: list[Pair]) -> list[Reading]:
        logits = self._logits([(text, claim) for claim, text in pairs])  # premise, hypothesis
        shares = probabilities(logits, meaning(self._labels, logits.shape[1]))
        return [Reading(0.0, *share) for share in shares]

    def _logits(self, pairs: list[Pair]) -> NDArray[np.float32]:
        from torch.nn import Identity

        found = self._model.predict(
            pairs, activation_fn=Identity(), show_progress_bar=False, convert_to_numpy=True
        )
        rows = np.asarray(found, np.float32)
        return rows[:, None] if rows.ndim == 1 else rows

    @cached_property
    def _labels(self) -> dict[int, str]:
        return {int(k): str(v) for k, v in self._model.model.config.id2label.items()}

    @cached_property
    def _model(self) -> Any:
        with self._loading:
            from sentence_transformers import CrossEncoder

            try:
                return CrossEncoder(self.name, device="cpu")
            except (OSError, ValueError, KeyError, RuntimeError) as error:
                line = " ".join(str(error).split())[:160]
                raise SettingsError(
                    f"the cross-encoder {self.name!r} cannot be had: check the name and the "
                    f"network, or give a local folder ({type(error).__name__}: {line})"
                ) from error


def meaning(labels: dict[int, str], width: int) -> Meaning:
    """What the columns mean, by the labels' names; else the last column is "supported"."""
    names = {column: labels.get(column, "").lower() for column in range(width)}
    against = [c for c, name in names.items() if name.startswith(_AGAINST)]
    pro = [c for c, n in names.items() if c not in against and n.startswith(_SUPPORTED)]
    supported = pro[0] if pro else width - 1
    refuted = [c for c in against if names[c].startswith(("contradict", "refut"))]
    return Meaning(supported, refuted[0] if refuted and width > 2 else None)


def probabilities(
    logits: NDArray[np.float32], columns: Meaning
) -> list[tuple[float, float, float]]:
    """(supported, contradicted, unsupported) of each row; one column is a sigmoid."""
    if logits.shape[1] == 1:
        chance = 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0], -40, 40)))
        return [(float(p), 0.0, float(1 - p)) for p in chance]
    weights = np.exp(logits - logits.max(1, keepdims=True))
    shares = weights / weights.sum(1, keepdims=True)
    pro = shares[:, columns.supported]
    con = np.zeros_like(pro) if columns.contradicted is None else shares[:, columns.contradicted]
    return [(float(p), float(c), float(max(0.0, 1 - p - c))) for p, c in zip(pro, con, strict=True)]
