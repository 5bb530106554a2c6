"""Orders by the default encoder: a logistic on its frozen sentence vectors, against the hashed one.

The same types left out, the same contexts; slower by far, so on fewer sentences. Not here: what
ships (fit_guard.py). Run: python -m benchmarks.guard_encoder
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks import guard_data as data
from benchmarks.fit_guard import at_false_alarms
from corpus import orders
from models.encoders import Encoders

CONTEXTS, REQUESTS, PLACES = 60, 150, 2


def sentences(texts: Sequence[str]) -> list[tuple[str, float]]:
    """(sentence, how foreign) of every sentence."""
    found = []
    for text in texts:
        around = orders.Around(text)
        found += [(text[a:b][:400], around.foreign(text[a:b])) for a, b in orders.pieces(text)]
    return found


def attacked(
    attacks: Sequence[data.Attack], texts: Sequence[str], rng: random.Random, places: int
) -> list[list[tuple[str, float]]]:
    """For each attack and place the sentences that hold part of it."""
    made = []
    for attack in attacks:
        for context in rng.sample(texts, places):
            text, start, end = data.inserted(context, attack.text, rng)
            around = orders.Around(text)
            spans = [(a, b) for a, b in orders.pieces(text) if a < end and start < b][:4]
            made.append([(text[a:b][:400], around.foreign(text[a:b])) for a, b in spans])
    return made


def measure(ground: object = None) -> dict[str, Any]:
    """Recall at 1 % false alarms with types left out: vectors alone, and with foreignness."""
    encoder = Encoders(1)("all-MiniLM-L6-v2")
    rng = random.Random(data.SEED)
    train = [*data.contexts(False, CONTEXTS)[:CONTEXTS], *data.prose(False, 15)]
    test = data.contexts(True, CONTEXTS)[:CONTEXTS]
    every = data.attacks()
    known = attacked(every, [t for t in train if len(t) < 2500], rng, 1)
    asked = data.requests(REQUESTS)
    more = attacked(asked, [t for t in train if len(t) < 2500], rng, 1)
    hidden = attacked(every, test, rng, PLACES)
    quiet, plain = sentences(test), sentences(train)

    def rows(found: Sequence[tuple[str, float]], with_far: bool) -> Any:
        vectors = encoder.encode([text for text, _ in found], kind="query")
        far = np.array([[f, f < 0] for _, f in found], dtype=np.float32)
        return np.hstack([vectors, 2 * far]) if with_far else vectors

    result: dict[str, Any] = {"benign": len(quiet), "trained on": len(plain) + len(known + more)}
    for name, far in (("vectors", False), ("vectors and foreign words", True)):
        quiet_rows, plain_rows = rows(quiet, far), rows(plain, far)
        known_rows = rows([one[0] for one in known], far)
        more_rows = rows([one[0] for one in more], far)
        hidden_rows = [rows(one, far) for one in hidden]
        hits = total = 0
        for group in data.folds([attack.type for attack in every]):
            keep = np.array([attack.type not in group for attack in every])
            x = np.vstack([known_rows[keep], more_rows, plain_rows])
            y = np.r_[np.ones(int(keep.sum()) + len(more_rows)), np.zeros(len(plain_rows))]
            model = LogisticRegression(C=10.0, max_iter=500, class_weight="balanced").fit(x, y)
            limit = at_false_alarms(model.decision_function(quiet_rows).tolist(), 0.01)
            for number, one in enumerate(hidden_rows):
                if every[number // PLACES].type in group:
                    hits += bool(model.decision_function(one).max() >= limit)
                    total += 1
        result[name] = {"recall at 0.01": round(hits / total, 4), "n": total}
    return result


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
