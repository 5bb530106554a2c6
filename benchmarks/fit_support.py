"""Fits the three logistic judges of verifiers/weights.json on development data.

`pick` ranks the windows of a question, `answer` gives P(the picked window answers it),
`claim` gives P(a window carries a claim). Questions and claims are split in halves by their
hash: fitted on one, reported on the other, then fitted on both for shipping.
Run: python -m benchmarks.fit_support [--write]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

from benchmarks.development import VERIFICATION, Asked, reading_set
from models.training.examples import share
from models.training.sources import rows
from pilotfish.settings import load
from pilotfish.types import Case, Passage, Question
from pipeline.evaluation.scores import holds
from pipeline.library import Library
from verifiers import evidence
from verifiers.relevance import features
from verifiers.rules import features as claim_features
from verifiers.weights import FILE

READ = 5
AGAINST = frozenset({"names", "numbers", "negation"})  # features that speak against
Row = dict[str, float]


def library(folder: Path, documents: Sequence[dict[str, str]]) -> Library:
    """A collection of these documents, made once."""
    made = Library(load({"workspace": folder}), create=True)
    lines = folder / "documents.jsonl"
    lines.write_text("".join(json.dumps(d) + "\n" for d in documents), encoding="utf-8")
    made.add([str(lines)])
    return made


def windows_of(shelf: Library, asked: Asked) -> list[tuple[Row, bool]]:
    """(features, right) of every shortlisted window of the question."""
    case: Case = shelf.search(Question(asked.question), "fused", 10)
    ranks = {p.id: rank for rank, p in enumerate(case.passages[:READ])}
    found = [w for p in case.passages[:READ] for w in evidence.windows(p, widths=(1,))]
    rated = evidence.ranked(asked.question, found, shelf.parts.embed)
    return [
        (
            features(asked.question, window, ranks[window.passage.id]),
            holds(window.text, asked.answers),
        )
        for window in rated
    ]


def claims(limit: int, shelf: Library) -> list[tuple[str, str, Row, bool]]:
    """(set, claim, features of its best window, supported)."""
    found = []
    for name in VERIFICATION:
        for row in list(rows(f"verification/{name}"))[:limit]:
            passage = Passage(
                0, row["evidence"], "d", 0, len(row["evidence"]), title=row.get("title") or ""
            )
            windows = list(evidence.windows(passage))
            ranked = evidence.ranked(row["claim"], windows, shelf.parts.embed)
            if ranked:
                best = claim_features(row["claim"], ranked[0])
                found.append((name, row["claim"], best, row["label"] == "supported"))
    return found


def fit(table: Sequence[Row], labels: Sequence[bool]) -> dict[str, object]:
    """A logistic in plain numbers, each weight of the sign that its feature must have.

    Without the signs, correlated features get weights of either sign that hold on Wikipedia
    paragraphs and nowhere else.
    """
    names = list(table[0])
    matrix = np.array([[row[name] for name in names] for row in table])
    truth = np.array(labels, dtype=float)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        p = 1 / (1 + np.exp(-np.clip(matrix @ w[:-1] + w[-1], -30, 30)))
        nats = -(truth * np.log(p + 1e-12) + (1 - truth) * np.log(1 - p + 1e-12)).sum()
        gradient = np.r_[matrix.T @ (p - truth) + w[:-1], (p - truth).sum()]
        return float(nats + (w[:-1] ** 2).sum() / 2), gradient

    bounds = [(None, 0) if name in AGAINST else (0, None) for name in names] + [(None, None)]
    best = minimize(loss, np.zeros(len(names) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    weights = {name: round(float(w), 4) for name, w in zip(names, best, strict=False)}
    return {"bias": round(float(best[-1]), 4), "weights": weights}


def score(judge: dict[str, object], row: Row) -> float:
    weights: dict[str, float] = judge["weights"]  # type: ignore[assignment]
    total = float(judge["bias"]) + sum(w * row[n] for n, w in weights.items())  # type: ignore[arg-type]
    return float(1 / (1 + np.exp(-total)))


def picked(
    judge: dict[str, object], found: Sequence[Sequence[tuple[Row, bool]]]
) -> list[tuple[Row, bool]]:
    """Of each question the window that the judge ranks first."""
    return [max(some, key=lambda pair: score(judge, pair[0])) for some in found if some]


def fit_answers(
    found: Sequence[Sequence[tuple[Row, bool]]],
) -> tuple[dict[str, object], dict[str, object]]:
    flat = [pair for some in found for pair in some]
    pick = fit([row for row, _ in flat], [label for _, label in flat])
    chosen = picked(pick, found)
    return pick, fit([row for row, _ in chosen], [label for _, label in chosen])


def report_answers(found: dict[str, list[tuple[Row, bool]]]) -> None:
    """Held-back half: how often the pick is right, and right / answered at thresholds."""
    train = [v for k, v in found.items() if share(k) < 0.5]
    test = [v for k, v in found.items() if share(k) >= 0.5]
    pick, answer = fit_answers(train)
    chosen = picked(pick, test)
    probability = np.array([score(answer, row) for row, _ in chosen])
    right = np.array([label for _, label in chosen])
    print(f"answers: n {len(right)}, picked right {right.mean():.3f}, "
          f"AUROC {roc_auc_score(right, probability):.3f}")  # fmt: skip
    for threshold in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        kept = probability >= threshold
        print(f"  >= {threshold}: answered {kept.mean():.3f}, right among them "
              f"{right[kept].mean() if kept.any() else float('nan'):.3f}")  # fmt: skip


def report_claims(found: Sequence[tuple[str, str, Row, bool]]) -> None:
    train = [(r, y) for _, c, r, y in found if share(c) < 0.5]
    judge = fit([r for r, _ in train], [y for _, y in train])
    for name in VERIFICATION:
        test = [(r, y) for n, c, r, y in found if n == name and share(c) >= 0.5]
        truth = [y for _, y in test]
        judged = {
            "judge": [score(judge, r) for r, _ in test],
            "overlap": [r["overlap"] for r, _ in test],
            "cosine": [r["cosine"] for r, _ in test],
        }
        told = ", ".join(f"{k} {roc_auc_score(truth, v):.3f}" for k, v in judged.items())
        print(f"claims {name}: n {len(test)}, AUROC {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write verifiers/weights.json")
    parser.add_argument("--workspace", type=Path, help="reuse this workspace")
    parser.add_argument("--limit", type=int, default=10_000)
    options = parser.parse_args()
    documents, asked = reading_set()
    folder = options.workspace or Path(tempfile.mkdtemp())
    shelf = library(folder, documents)
    found = {
        one.id: windows_of(shelf, one) for one in asked[:: max(1, len(asked) // options.limit)]
    }
    report_answers(found)
    judged = claims(options.limit, shelf)
    report_claims(judged)
    pick, answer = fit_answers(list(found.values()))
    claim = fit([row for _, _, row, _ in judged], [label for _, _, _, label in judged])
    made = {"pick": pick, "answer": answer, "claim": claim}
    print(json.dumps(made, indent=1))
    if options.write:
        weights = json.loads(FILE.read_text(encoding="utf-8")) | made
        FILE.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
