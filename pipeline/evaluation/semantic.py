"""BERTScore of many answers, what texts score by chance, and length as the dumb measure beside it.

The baseline is the mean over random pairs of right answers to different questions (after Zhang et
al., arXiv 1904.09675, who take random sentences). Not here: the matching (models/bertscore.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.bertscore import Idf, Matched, idf, match
from models.token_vectors import Tokens
from pipeline.evaluation.scores import tokens

PAIRS = 1_000  # random pairs behind the baseline
STRANGE = 0.5  # share of a text's tokens that the vocabulary may lack
_WINDOW = 512  # texts whose vectors are held at a time


class Encodes(Protocol):
    """What models.token_vectors.TokenEncoder does."""

    def ids(self, texts: Sequence[str], /) -> list[NDArray[np.int64]]: ...
    def encode(self, texts: Sequence[str], /) -> list[Tokens]: ...


@dataclass(frozen=True, slots=True)
class Semantic:
    """Per question the best over its right answers, None: not in the vocabulary, or no text.

    `baseline` is None with fewer than two different right answers. `cut` texts were too long.
    """

    scores: tuple[Matched | None, ...]
    baseline: Matched | None
    cut: int = 0


def bertscores(
    encoder: Encodes, said: Sequence[str], answers: Sequence[Sequence[str]], weigh: bool = False
) -> Semantic:
    """`said` against any of `answers`, question by question. weigh: by idf over all answers."""
    weights = idf(encoder.ids([one for many in answers for one in many])) if weigh else None
    scores: list[Matched | None] = []
    cut: set[str] = set()
    for start in range(0, len(said), _WINDOW):
        part = slice(start, start + _WINDOW)
        known = _vectors(encoder, [*said[part], *(a for many in answers[part] for a in many)])
        cut |= {text for text, one in known.items() if one.cut}
        for text, many in zip(said[part], answers[part], strict=True):
            scores.append(_best(known, text, many, weights))
    return Semantic(tuple(scores), baseline(encoder, answers, weights), len(cut))


def _vectors(encoder: Encodes, texts: Sequence[str]) -> dict[str, Tokens]:
    distinct = list(dict.fromkeys(texts))
    return dict(zip(distinct, encoder.encode(distinct), strict=True))


def _best(
    known: Mapping[str, Tokens], text: str, answers: Sequence[str], weights: Idf | None
) -> Matched | None:
    said = known[text]
    usable = [known[one] for one in answers if known[one].unknown <= STRANGE]
    if not text.strip() or said.unknown > STRANGE or not usable:
        return None
    return max((match(said, one, weights) for one in usable), key=lambda found: found.f1)


def baseline(
    encoder: Encodes, answers: Sequence[Sequence[str]], weights: Idf | None = None, seed: int = 0
) -> Matched | None:
    """Mean score of right answers to different questions; None with fewer than two of them."""
    firsts = list(dict.fromkeys(many[0] for many in answers if many))[:_WINDOW]
    known = [one for one in encoder.encode(firsts) if one.unknown <= STRANGE and len(one.ids)]
    if len(known) < 2:
        return None
    random = np.random.default_rng(seed)
    one = random.integers(0, len(known), PAIRS)
    other = (one + random.integers(1, len(known), PAIRS)) % len(known)
    found = [match(known[a], known[b], weights) for a, b in zip(one, other, strict=True)]
    means = np.mean([(each.precision, each.recall, each.f1) for each in found], axis=0)
    return Matched(*means.tolist())


def closeness(text: str, answers: Sequence[str]) -> float:
    """Length alone: shorter over longer in normalised tokens, the best over the answers."""
    length = len(tokens(text))
    others = [len(tokens(answer)) for answer in answers]
    return max((min(length, n) / max(length, n, 1) for n in others), default=0.0)
