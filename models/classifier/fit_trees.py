"""Trains trees over rows of a table, beside the plain classifier of their text; keeps the better.

scikit-learn's HistGradientBoosting (after LightGBM, Ke et al. 2017), turned into plain arrays. Both
are judged on the same held-back folds. Not here: serving (trees.py), columns (rows.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier.fit import (
    SEED,
    SURE,
    Labelled,
    calibration_error,
    confidence_for,
    cooled,
    examples,
    fit,
    folds,
    kept_at,
    softmax,
)
from models.classifier.model import Classifier
from models.classifier.rows import Columns, Row
from models.classifier.trees import Nodes, Trees

ROUNDS, RATE, LEAVES = 100, 0.1, 15


def fit_rows(given: Labelled, rows: Sequence[Row], encoder: tuple[str, str]) -> Trees | Classifier:
    """given: the rows as text. ValueError as `fit`."""
    text = fit(given, encoder)
    columns = Columns.of(rows)
    if not columns.columns:
        return text
    design = columns(rows)
    gold = np.array([text.labels.index(label) for label in given.labels])
    scores = _held_out(design, gold)
    accuracy = round(float((scores.argmax(1) == gold).mean()), 4)
    beside = dict(text.measured["beside"]) | {"trees": accuracy}
    if accuracy < text.measured["accuracy"]:  # at a tie trees need no encoder, and say exactly why
        return replace(text, measured=dict(text.measured) | {"beside": beside})
    temperature = cooled(scores, gold)
    chances = softmax(scores / temperature)
    measured = {
        "view": "trees", "accuracy": accuracy, "beside": beside,
        f"kept at {SURE:.0%} right": round(kept_at(chances, gold), 4),
        f"confidence for {SURE:.0%}": round(confidence_for(chances, gold), 4),
        "calibration error": round(calibration_error(chances, gold), 4),
    }  # fmt: skip
    nodes, start = flat(boosted(design, gold), len(text.labels))
    shown, places = examples(given, text.labels, chances)
    return Trees(text.labels, columns, nodes, start, temperature, encoder, measured, shown,
                 given.vectors[places].astype(np.float32))  # fmt: skip


def boosted(design: NDArray[np.float64], gold: NDArray[Any]) -> Any:
    """A fitted HistGradientBoostingClassifier."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    fewest = max(2, min(20, len(gold) // 20))
    return HistGradientBoostingClassifier(
        max_iter=ROUNDS, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=fewest,
        l2_regularization=1.0, early_stopping=False, random_state=SEED,
    ).fit(design, gold)  # fmt: skip


def _held_out(design: NDArray[np.float64], gold: NDArray[Any]) -> NDArray[np.float32]:
    """Scores of each row by trees that were grown without its fold: (rows, labels)."""
    count = int(gold.max()) + 1
    scores = np.full((len(gold), count), -30.0, np.float32)
    for fold in folds(gold):
        rest = np.setdiff1d(np.arange(len(gold)), fold)
        there = np.unique(gold[rest])
        if len(there) == 1:
            scores[fold, there[0]] = 0.0
            continue
        said = boosted(design[rest], gold[rest]).decision_function(design[fold])
        said = np.stack([-said / 2, said / 2], axis=1) if said.ndim == 1 else said
        scores[np.ix_(fold, there)] = said
    return scores


def flat(made: Any, count: int) -> tuple[Nodes, NDArray[np.float64]]:
    """(all trees as arrays, scores before them). Two labels share each tree, with halves of it."""
    parts: list[tuple[Any, NDArray[np.float64], int]] = []
    for turn in made._predictors:  # there is no public form of them
        for label, tree in enumerate(turn):
            value = _means(tree.nodes)
            if count == 2:
                parts += [(tree.nodes, -value / 2, 0), (tree.nodes, value / 2, 1)]
            else:
                parts.append((tree.nodes, value, label))
    roots = np.cumsum([0, *(len(nodes) for nodes, _, _ in parts)])[:-1]
    nodes = np.concatenate([one for one, _, _ in parts])
    moved = np.repeat(roots, [len(one) for one, _, _ in parts])
    leaf = nodes["is_leaf"].astype(bool)
    start = np.ravel(made._baseline_prediction).astype(np.float64)
    return Nodes(
        np.where(leaf, -1, nodes["feature_idx"]).astype(np.int32),
        nodes["num_threshold"].astype(np.float64), nodes["missing_go_to_left"].astype(bool),
        (nodes["left"] + moved).astype(np.int32), (nodes["right"] + moved).astype(np.int32),
        np.concatenate([value for _, value, _ in parts]), roots.astype(np.int32),
        np.array([label for _, _, label in parts], np.int32),
    ), (np.array([-start[0] / 2, start[0] / 2]) if count == 2 else start)  # fmt: skip


def _means(nodes: Any) -> NDArray[np.float64]:
    """The value of each node: a leaf's own, else the mean of its leaves by how many rows they had.

    Children stand after their parents.
    """
    value: NDArray[np.float64] = nodes["value"].astype(np.float64)
    for at in range(len(nodes) - 1, -1, -1):
        if not nodes[at]["is_leaf"]:
            below = [int(nodes[at]["left"]), int(nodes[at]["right"])]
            value[at] = np.average(value[below], weights=nodes["count"][below])
    return value
