"""Small classifiers: accuracy, what they keep from an LLM, and how honest their confidence is.

classification/{trec, sst2, subj, headlines}; trec and headlines have no test part here, so every
fifth text of them is one. Trained by what `pilotfish tune classifier` runs. Beside it the commonest
label, words alone and the encoder's vectors alone, and words with vectors that a light adapter was
tuned to by contrast (SetFit, arXiv 2209.11055, whose trunk stays frozen here), each measured on the
same test part. Not here: demonstrations (demonstrations.py).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.data import Row, lines
from benchmarks.ground import Ground
from models import contrast
from models.classifier.fit import SURE, VIEWS, Labelled, calibration_error, fit, kept_at
from models.classifier.model import Classifier
from models.encoders import Encoders

SETS = ("trec", "sst2", "subj", "headlines")
QUICK = 400
FAR = 8  # texts of other labels that an adapter is to keep away from a text


def measure(here: Ground) -> dict[str, Any]:
    """Figures of every set."""
    encoder = Encoders()("all-MiniLM-L6-v2")
    found = {name: one_set(*parts(here, name), encoder) for name in SETS}
    return {"sets": found, "bars": {
        "the classifier is at least as accurate as words alone and vectors alone, on every set":
            all(one["accuracy"] >= max(one["words"], one["vectors"])
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
    return (spread(train), spread(asked)) if here.quick else (train, asked)


def spread(rows: list[Row]) -> list[Row]:
    """QUICK rows from all over a set, which may be sorted; of its commoner labels."""
    counts = Counter(row["label"] for row in rows)
    common = [row for row in rows if counts[row["label"]] * QUICK >= 4 * len(rows)]
    return common[:: max(1, len(common) // QUICK)][:QUICK]


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
    right, sure = chances.argmax(1) == gold, chances.max(1)
    above = sure >= float(made.measured[f"confidence for {SURE:.0%}"])
    commonest = max(made.labels, key=list(given.labels).count)
    found = {
        "train": len(train), "test": len(test), "view": made.measured["view"],
        "accuracy": float((chances.argmax(1) == gold).mean()), "macro F1": _macro(chances, gold),
        "kept": kept_at(chances, gold), "above the folds' confidence": float(above.mean()),
        "right of those": float(right[above].mean()) if above.any() else 1.0,
        "calibration error": calibration_error(chances, gold),
        "commonest label": float(np.mean([row["label"] == commonest for row in test])),
        "seconds to train": seconds, "ms a text": 1000 * each,
    }  # fmt: skip
    for view in VIEWS:
        alone = fit(given, ("", ""), views=(view,))
        found[view] = float((_chances(alone, texts, vectors).argmax(1) == gold).mean())
    adapt = adapted(given)
    moved = Labelled(given.texts, given.labels, adapt(given.vectors))
    tuned = _chances(fit(moved, ("", ""), views=("both",)), texts, adapt(vectors))
    found["adapted"] = float((tuned.argmax(1) == gold).mean())
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in found.items()}


def adapted(given: Labelled) -> Callable[[Any], Any]:
    """An adapter by contrast: a text is to lie nearer to one of its label than to its FAR nearest
    of other labels.
    """
    rng, vectors, labels = np.random.RandomState(7), given.vectors, np.array(given.labels)
    near, far = [], []
    for at, label in enumerate(labels):
        own = np.flatnonzero(labels == label)
        near.append(int(rng.choice(own[own != at])) if len(own) > 1 else at)
        others = np.flatnonzero(labels != label)
        far.append(others[np.argsort(-(vectors[others] @ vectors[at]))[:FAR]])
    down, up = contrast.fit(vectors, vectors[near], vectors[np.array(far)])

    def moved(some: Any) -> Any:
        rows = some + (some @ down) @ up
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    return moved


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
