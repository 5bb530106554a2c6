"""Small classifiers: accuracy, what they keep from an LLM, and how honest their confidence is.

classification/{trec, sst2, subj, headlines}; trec and headlines have no test part here, so every
fifth text of them is one. Trained by what `pilotfish tune classifier` runs. Beside it the commonest
label, words alone and the encoder's vectors alone, each measured on the same test part. Not here:
demonstrations (demonstrations.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.data import Row, lines
from benchmarks.ground import Ground
from models.classifier.fit import VIEWS, Labelled, calibration_error, fit, kept_at
from models.classifier.model import Classifier
from models.encoders import Encoders

SETS = ("trec", "sst2", "subj", "headlines")
QUICK = 400


def measure(here: Ground) -> dict[str, Any]:
    """Figures of every set."""
    encoder = Encoders()("all-MiniLM-L6-v2")
    found = {name: one_set(*parts(here, name), encoder) for name in SETS}
    return {"sets": found, "bars": {
        "the classifier is at least as accurate as words alone and vectors alone, on every set":
            all(one["accuracy"] >= max(one["words"], one["vectors"]) - 0.005
                for one in found.values()),
    }}  # fmt: skip


def parts(here: Ground, name: str) -> tuple[list[Row], list[Row]]:
    """(train, test) of a set."""
    folder = here.data / "classification"
    train, test = list(lines(folder / f"{name}.train.jsonl.gz")), folder / f"{name}.test.jsonl.gz"
    if test.exists():
        asked = list(lines(test))
    else:
        train, asked = [r for n, r in enumerate(train) if n % 5], train[::5]
    return (train[:QUICK], asked[:QUICK]) if here.quick else (train, asked)


def one_set(train: Sequence[Row], test: Sequence[Row], encoder: Any) -> dict[str, Any]:
    """Accuracy, macro F1, share kept at SURE, calibration error, seconds."""
    begun = time.perf_counter()
    given = labelled(train, encoder)
    made = fit(given, (encoder.name, encoder.fingerprint))
    seconds = time.perf_counter() - begun
    texts = [row["text"] for row in test]
    begun = time.perf_counter()
    vectors = encoder.encode(texts)
    chances = _chances(made, texts, vectors)
    each = (time.perf_counter() - begun) / len(texts)
    gold = np.array([made.labels.index(row["label"]) for row in test])
    commonest = max(made.labels, key=list(given.labels).count)
    found = {
        "train": len(train), "test": len(test), "view": made.measured["view"],
        "accuracy": float((chances.argmax(1) == gold).mean()), "macro F1": _macro(chances, gold),
        "kept": kept_at(chances, gold), "calibration error": calibration_error(chances, gold),
        "commonest label": float(np.mean([row["label"] == commonest for row in test])),
        "seconds to train": seconds, "ms a text": 1000 * each,
    }  # fmt: skip
    for view in VIEWS:
        alone = fit(given, ("", ""), views=(view,))
        found[view] = float((_chances(alone, texts, vectors).argmax(1) == gold).mean())
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in found.items()}


def labelled(rows: Sequence[Row], encoder: Any) -> Labelled:
    """The rows with their vectors."""
    texts = [row["text"] for row in rows]
    return Labelled(texts, [row["label"] for row in rows], encoder.encode(texts))


def _chances(made: Classifier, texts: Sequence[str], vectors: Any) -> Any:
    said = made.predict(texts, vectors)
    return np.array([[one.chances[label] for label in made.labels] for one in said])


def _macro(chances: Any, gold: Any) -> float:
    """Mean over labels of F1."""
    said, found = chances.argmax(1), []
    for label in range(chances.shape[1]):
        hit = float(((said == label) & (gold == label)).sum())
        found.append(2 * hit / max(1.0, float((said == label).sum() + (gold == label).sum())))
    return float(np.mean(found))
