"""Judges of claims without a cross-encoder, side by side: which windows, which numbers, which caps.

The first two rows are the two judges that the product once had: `pilotfish verify` looked at the
nearest window and weighed numbers of the whole text, answers' claims were laid against three
windows under hard caps. What won is verifiers/rules.py. Not here: the cross-encoder (support.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.judges import rows
from benchmarks.judges.support import balanced
from models.encoders import Encoders
from models.training.examples import CONTRADICTED, UNSUPPORTED
from models.training.measure import auroc
from pilotfish.text import numbers
from pilotfish.types import Passage
from pipeline.parts import Memo
from verifiers import evidence
from verifiers.evidence import Embed, Window
from verifiers.weights import judge

LIMIT = 150
VERBATIM = 0.99


@dataclass(frozen=True, slots=True)
class Variant:
    """windows: how many count, the best of them. whole: names and numbers may stand anywhere in
    the text. caps: a missing number holds P at 0.05, a negation at 0.2. exact: a copy is 0.99.
    """

    windows: int
    whole: bool
    caps: bool
    exact: bool

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
        if self.caps:
            support = min(support, 0.05 if gone else 1.0, 0.2 if denied else 1.0)
        return support


VARIANTS = {
    "nearest, whole text, no caps (verify's)": Variant(1, True, False, False),
    "3 windows, caps (answers')": Variant(3, False, True, True),
} | {
    f"{n} window(s), {'whole' if w else 'own'} numbers, {'caps' if c else 'no caps'}": Variant(
        n, w, c, True
    )
    for n, w, c in itertools.product((1, 3), (True, False), (True, False))
    if (n, w, c) != (3, False, True)
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
    """{"variants": {name: {set: [AUROC, balanced accuracy]}}, "denied": {...}, "bars": {}}."""
    found = {name: laid(name, limit, embed) for name in rows.SETS}
    made: dict[str, Any] = {}
    for name, variant in VARIANTS.items():
        by_set = {s: scored(variant, own) for s, own in found.items()}
        means = np.mean([by_set[s] for s in rows.COUNTED], axis=0).round(4).tolist()
        made[name] = by_set | {"mean": means}
    return {"variants": made, "contradicted of not supported": denied(found), "bars": {}}


def scored(variant: Variant, own: Sequence[Laid]) -> list[float]:
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
