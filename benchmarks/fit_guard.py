"""Fits the guard's two small linear models: orders in documents, and toxic sentences.

A logistic over hashed features; half of the benign texts and, one group after the other, a fifth
of the attack types are left out to measure (guard.py); the shipped models are fitted on all
types and the same half, thresholds set on the other half. Run: python -m benchmarks.fit_guard
"""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from benchmarks import guard_data as data
from corpus import orders
from corpus.hashed import Hashed, places, save
from models.training.examples import share
from models.training.sources import rows
from verifiers import toxic

BITS = 14
LOUD = 0.003  # share of benign sentences that may be held
STRENGTH = 3.0  # inverse of the L2 penalty
Places = NDArray[np.int64]


def fit(examples: Sequence[tuple[Places, bool]], bits: int = BITS) -> Hashed:
    """A logistic; both classes weigh the same."""
    matrix = sparse([found for found, _ in examples], bits)
    model = LogisticRegression(C=STRENGTH, max_iter=300, class_weight="balanced")
    model.fit(matrix, [label for _, label in examples])
    return Hashed(model.coef_[0].astype(np.float32), float(model.intercept_[0]), 0.5)


def sparse(found: Sequence[Places], bits: int) -> csr_matrix:
    """A row an example, each of length one."""
    lengths = [len(one) for one in found]
    values = np.concatenate([np.full(n, 1 / np.sqrt(max(1, n)), np.float32) for n in lengths])
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return csr_matrix((values, np.concatenate(found), ends), shape=(len(found), 1 << bits))


def benign(texts: Iterable[str], bits: int = BITS) -> list[Places]:
    """The features of every sentence of these texts."""
    return [found for text in texts for _, _, found in seen(text, bits)]


def seen(text: str, bits: int = BITS) -> Iterator[tuple[int, int, Places]]:
    """(start, end, places of its features) of every sentence."""
    around = orders.Around(text)
    for a, b in orders.pieces(text):
        found = places(orders.features(text[a:b], around.foreign(text[a:b])), bits)
        if len(found):
            yield a, b, found


def attacked(
    attacks: Iterable[data.Attack], texts: Sequence[str], rng: random.Random
) -> Iterator[tuple[str, Places]]:
    """(type, features of its first sentence) of each attack, put into one of the texts."""
    short = [text for text in texts if len(text) < 2500]
    for attack in attacks:
        text, start, end = data.inserted(rng.choice(short), attack.text, rng)
        first = next((found for a, b, found in seen(text) if a < end and start < b), None)
        if first is not None:
            yield attack.type, first


@functools.cache
def gathered() -> tuple[list[tuple[str, Places]], list[Places]]:
    """(attacks and requests by type, benign sentences) of the training half."""
    rng = random.Random(data.SEED)
    texts = [*data.contexts(test=False), *data.prose(test=False, count=80)]
    wanted = [*data.attacks() * 3, *data.requests(300)]
    plain = benign([*texts, *data.faq(test=False, count=80), *data.manuals(60)])
    return list(attacked(wanted, texts, rng)), plain


def training(left_out: set[str]) -> list[tuple[Places, bool]]:
    """All but the types that are left out."""
    told, plain = gathered()
    kept = [(found, True) for kind, found in told if kind not in left_out]
    return kept + [(found, False) for found in plain]


def at_false_alarms(scores: Sequence[float], rate: float) -> float:
    """The least threshold that this share of benign scores reaches at most."""
    ordered = np.sort(np.asarray(scores))[::-1]
    return float(np.nextafter(ordered[int(rate * len(ordered))], 2.0))


def write_orders() -> dict[str, Any]:
    model = fit(training(set()))
    quiet = benign([*data.contexts(test=True), *data.prose(test=True, count=200)])
    threshold = at_false_alarms([model.at(found) for found in quiet], LOUD)
    told = {
        "what": "sentences that give orders, in documents (indirect prompt injection)",
        "data": [
            "microsoft/BIPIA attacks and contexts, development half (MIT; code: CC BY-SA)",
            "questions of xquad, nq_oracle (CC BY-SA), 2wiki (Apache-2.0); nl2bash (MIT)",
            "benign: xquad, nq_oracle, scifact (ODC-By), wice (CC BY-SA), training halves",
            "orders and manuals by templates of benchmarks/guard_data.py (ours)",
        ],
        "licence": "Apache-2.0 (weights)",
        "threshold_is": f"{LOUD:.1%} of benign held-out sentences are above it",
        "measures": "benchmarks/RESULTS.md, guard",
        "limits": "English; harmless-looking requests inside texts that ask much; no wall",
    }
    save(orders.CARD, Hashed(model.weights, model.bias, threshold), told)
    return {"threshold": threshold, "benign": len(quiet)}


def toxicity(test: bool) -> list[tuple[str, bool]]:
    """(text, toxic) of one half; hate and offensive are both toxic."""
    return [
        (row["text"], row["label"] != "neither")
        for row in rows("guard/toxicity")
        if (share("toxic " + row["text"]) < 0.5) == test
    ]


def tweets() -> list[tuple[Places, bool]]:
    """The training half."""
    return [(places(toxic.features(t), BITS), label) for t, label in toxicity(test=False)]


def write_toxic() -> dict[str, Any]:
    model = fit(tweets())
    plain = [text for text, label in toxicity(test=True) if not label]
    plain += [
        text[a:b] for text in data.prose(test=True, count=100) for a, b in orders.pieces(text)
    ]
    threshold = at_false_alarms([model(toxic.features(text)) for text in plain], 0.01)
    told = {
        "what": "toxic sentences (hate or offensive) in answers",
        "data": ["t-davidson/hate-speech-and-offensive-language (MIT), half of 3,989 tweets"],
        "licence": "Apache-2.0 (weights)",
        "threshold_is": "1 % of held-out harmless tweets and sentences are above it",
        "limits": "labels are biased against dialect; tweets; English",
    }
    save(toxic.CARD, Hashed(model.weights, model.bias, threshold), told)
    return {"threshold": threshold}


WRITERS: dict[str, Callable[[], dict[str, Any]]] = {"orders": write_orders, "toxic": write_toxic}

if __name__ == "__main__":
    for name in sys.argv[1:] or WRITERS:
        print(name, WRITERS[name]())
