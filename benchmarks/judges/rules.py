"""Judges of claims without a cross-encoder, side by side: windows, numbers and caps.

The first two rows are judges that the product once had: `pilotfish verify` looked at the nearest
window and weighed numbers of the whole text, answers' claims were laid against three windows under
hard caps. What is left is verifiers/rules.py: three windows, each with its own numbers; the caps
hold answers only, whose wrong numbers must not pass. Not here: the cross-encoder (support.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from benchmarks.ground import Ground
from benchmarks.judges import rows
from benchmarks.judges.support import balanced
from models.auroc import auroc
from models.encoders import Encoders
from models.training.examples import CONTRADICTED, UNSUPPORTED
from pilotfish.text import numbers
from pilotfish.types import Passage
from pipeline.parts import Memo
from verifiers import evidence
from verifiers.evidence import Embed, Window
from verifiers.rules import NEGATION_CAP, VALUE_CAP, VERBATIM, by_words
from verifiers.weights import judge

LIMIT = 150
SHIPPED = "the product's"
Caps = Literal["no caps", "numbers capped", "negation capped", "both capped"]


@dataclass(frozen=True, slots=True)
class Variant:
    """windows: how many count, the best of them. whole: names and numbers may stand anywhere in
    the text. caps: what holds P down. exact: a copy is carried.
    """

    windows: int
    whole: bool
    caps: Caps
    exact: bool = True

    def __call__(self, claim: str, text: str, ranked: Sequence[Window]) -> float:
        """P(supported)."""
        if self.exact and any(evidence.word_for_word(claim, w) for w in ranked):
            return VERBATIM
        return max((self._of(claim, text, w) for w in ranked[: self.windows]), default=0.0)

    def _of(self, claim: str, text: str, window: Window) -> float:
        about = text if self.whole else window.text
        gone = evidence.missing_numbers(claim, about)
        denied = evidence.negation_differs(claim, window.text)
        seen = {
            "overlap": window.overlap,
            "cosine": window.cosine,
            "names": evidence.missing_names(claim, about),
            "numbers": float(min(2, gone)),
            "negation": float(denied),
        }
        support = judge("claim")(seen)
        if gone and self.caps in {"numbers capped", "both capped"}:
            support = min(support, VALUE_CAP)
        if denied and self.caps in {"negation capped", "both capped"}:
            support = min(support, NEGATION_CAP)
        return support


def shipped(claim: str, text: str, ranked: Sequence[Window]) -> float:
    """P(supported) as `pilotfish verify` says it where there is no cross-encoder."""
    return max((support for _, support in by_words(claim, ranked)), default=0.0)


Scores = Callable[[str, str, Sequence[Window]], float]
VARIANTS: dict[str, Scores] = {
    "nearest window, numbers of the text, no caps: verify's once": Variant(
        1, True, "no caps", exact=False
    ),
    "3 windows, own numbers, both capped: answers' once": Variant(3, False, "both capped"),
    SHIPPED: shipped,
} | {
    f"{count} window(s), {'numbers of the text' if whole else 'own numbers'}, {caps}": Variant(
        count, whole, caps
    )
    for count, whole, caps in itertools.product((1, 3), (True, False), get_args(Caps))
}


@dataclass(frozen=True, slots=True)
class Laid:
    """A held-out row with its windows, nearest first."""

    pair: rows.Pair
    ranked: Sequence[Window]


def laid(name: str, limit: int, embed: Embed) -> list[Laid]:
    """The rows of a set, each against its own evidence."""
    found = []
    for pair in rows.pairs(name, limit):
        passage = Passage(0, pair.evidence, "", 0, len(pair.evidence))
        windows = list(evidence.windows(passage))
        found.append(Laid(pair, evidence.ranked(pair.claim, windows, embed)))
    return found


def measure(ground: Ground) -> dict[str, Any]:
    """AUROC and balanced accuracy at 0.5 of every variant, by set and in the mean."""
    return table(Memo(Encoders(1)("all-MiniLM-L6-v2")), 40 if ground.quick else LIMIT)


def table(embed: Embed, limit: int) -> dict[str, Any]:
    """[AUROC, balanced accuracy] by variant and set; how often rules speak; no bars."""
    found = {name: laid(name, limit, embed) for name in rows.SETS}
    made: dict[str, Any] = {}
    for name, variant in VARIANTS.items():
        by_set = {s: scored(variant, own) for s, own in found.items()}
        means = np.mean([by_set[s] for s in rows.COUNTED], axis=0).round(4).tolist()
        made[name] = by_set | {"mean": means}
    return {"variants": made, "contradicted of not supported": denied(found), "bars": {}}


def scored(variant: Scores, own: Sequence[Laid]) -> list[float]:
    """[AUROC, balanced accuracy]."""
    truth = np.array([one.pair.supported for one in own])
    chances = np.array([variant(o.pair.claim, o.pair.evidence, o.ranked) for o in own])
    figures = float(auroc(truth, chances)), balanced(truth, chances)
    return [round(figure, 4) for figure in figures]


def denied(found: dict[str, list[Laid]]) -> dict[str, Any]:
    """Of what is not supported: how often each rule calls it contradicted, by the truth."""
    kinds = {"contradicted": CONTRADICTED, "unsupported": UNSUPPORTED}
    return {
        name: {
            kind: {rule: round(float(np.mean([bool(sign(one)) for one in some])), 4)
                   for rule, sign in SIGNS.items()} | {"rows": len(some)}
            for kind, verdict in kinds.items()
            if (some := [o for o in own if o.pair.verdict == verdict and o.ranked])
        }
        for name, own in found.items()
    }  # fmt: skip


def _gone(one: Laid) -> int:
    return evidence.missing_numbers(one.pair.claim, one.ranked[0].text)


def _denies(one: Laid) -> bool:
    return evidence.negation_differs(one.pair.claim, one.ranked[0].text)


def _another(one: Laid) -> bool:
    """A number is missing, and the window has one that the claim has not."""
    free = set(numbers(one.ranked[0].text)) - set(numbers(one.pair.claim))
    return bool(_gone(one) and free)


SIGNS = {"a number is missing": _gone, "another number": _another, "a negation": _denies,
         "missing number or negation": lambda o: _gone(o) or _denies(o),
         "another number or negation": lambda o: _another(o) or _denies(o)}  # fmt: skip
