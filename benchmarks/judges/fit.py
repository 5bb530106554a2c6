"""Fits what stands over the pilot (verifiers/weights.json): the claim judge and P(span is right).

Run after the pilot was shipped anew: `python -m benchmarks.judges.fit [--write]`. Rows are those
that the pilot was not trained on. Not here: training the pilot (models/training).
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import numpy as np

from benchmarks.development import normalised, share
from benchmarks.fit_support import fit as logistic
from benchmarks.fit_support import score
from benchmarks.ground import ground
from benchmarks.judges import rows, support
from benchmarks.judges.reading import f1, hard_passages
from models.pilot.chosen import chosen
from models.training import sources
from models.training.measure import auroc
from pipeline.reader import best_reading, read_features
from verifiers.weights import FILE

RIGHT = 0.8  # normalised F1 from which a span counts as right
Row = dict[str, float]


def spans(limit: int) -> list[tuple[str, Row, bool]]:
    """(question, features, right) of held-out questions with right, hard and foreign passages."""
    asked = [row for name in sources.READING for row in rows.questions(name)][:limit]
    wrong = hard_passages(ground(False).work, {row["question"] for row in asked})
    model = chosen("pilot", "pilot")
    assert model is not None
    found = []
    for row in asked:
        for text, answers in ((row["context"], row["answers"]), (wrong[row["question"]], [])):
            best = best_reading(model, row["question"], text)
            if best is not None:
                answer, reading = best
                right = any(f1(answer, a) >= RIGHT or normalised(answer) == normalised(a)
                            for a in answers)  # fmt: skip
                found.append(
                    (row["question"], read_features(row["question"], answer, reading), right)
                )
    return found


def told(found: list[tuple[str, Row, bool]]) -> dict[str, Any]:
    """The judge, cross-fitted in halves for the figures, then fitted on all."""
    halves: list[list[tuple[str, Row, bool]]] = [[], []]
    for one in found:
        halves[share(one[0]) >= 0.5].append(one)
    chances, right = [], []
    for train, test in (halves, halves[::-1]):
        made = logistic([row for _, row, _ in train], [label for *_, label in train])
        chances += [score(made, row) for _, row, _ in test]
        right += [label for *_, label in test]
    area = auroc(np.array(right), np.array(chances))
    sys.stdout.write(f"spans: {len(found)}, right {np.mean(right):.3f}, AUROC {area:.3f}\n")
    return logistic([row for _, row, _ in found], [label for *_, label in found])


def main() -> None:
    """Fit both, print the figures, write them when told to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write verifiers/weights.json")
    parser.add_argument("--limit", type=int, default=rows.LIMIT)
    options = parser.parse_args()
    seen, speed = support.gathered(options.limit)
    for name, line in support.by_set(seen).items():
        sys.stdout.write(f"{name:18s} {line}\n")
    sys.stdout.write(f"{speed:.1f} pairs a second\n")
    made = told(spans(options.limit))
    if options.write:
        support.write(seen, FILE)
        weights = json.loads(FILE.read_text(encoding="utf-8"))
        weights["read"] = made
        FILE.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
