"""Fits what stands over the pilot (verifiers/weights.json): the claim judge and P(span is right).

`read` judges a span of one text, `span` the best span of retrieved passages. Run after the pilot
was shipped anew: `python -m benchmarks.judges.fit [--write]`, then benchmarks.fit_trust. Rows are
those that the pilot was not trained on. Not here: training the pilot (models/training).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.ground import ground
from benchmarks.judges import endtoend, rows, support
from benchmarks.judges.fitting import Features, Side, binary, binary_crossfitted
from benchmarks.judges.reading import hard_passages
from benchmarks.risk import write_rows
from models.auroc import auroc
from models.pilot.chosen import chosen
from models.training import sources
from pipeline.evaluation.scores import is_right
from pipeline.reader import best_reading, read_features
from verifiers.weights import FILE

PENALTIES = (3.0, 30.0, 100.0, 300.0)


def spans(limit: int) -> list[tuple[str, Features, bool]]:
    """(document, features, right) of held-out questions with right, hard and foreign passages."""
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
                right = is_right(answer, answers)
                seen = read_features(row["question"], answer, reading)
                found.append((row["title"], seen, right))
    return found


def told(name: str, found: Sequence[tuple[str, Features, bool]]) -> Side:
    """The judge of that name, fitted on all; its cross-fitted AUROC is printed."""
    groups, seen, right = zip(*found, strict=True)
    area = auroc(np.array(right), binary_crossfitted(seen, right, groups))
    sys.stdout.write(f"{name}: {len(found)}, right {np.mean(right):.3f}, AUROC {area:.3f}\n")
    return binary(seen, right)


def main() -> None:
    """Fit both, print the figures, write them when told to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write verifiers/weights.json")
    parser.add_argument("--limit", type=int, default=rows.LIMIT)
    parser.add_argument("--rows", type=Path, help="write what benchmarks.fit_trust --rows reads")
    options = parser.parse_args()
    seen, speed = support.gathered(options.limit)
    for name, line in support.by_set(seen).items():
        sys.stdout.write(f"{name:18s} {line}\n")
    sys.stdout.write(f"{speed:.1f} pairs a second\n")
    sys.stdout.write(f"by penalty, one set left out: {support.swept(seen, PENALTIES)}\n")
    asked = endtoend.told(ground(False))
    retrieved = [(one.asked.source, one.seen, one.right) for one in asked if one.seen]
    made = {"read": told("read", spans(options.limit)), "span": told("span", retrieved)}
    if options.rows:
        write_rows(options.rows, endtoend.labelled(asked))
    if options.write:
        support.write(seen, FILE)
        weights = json.loads(FILE.read_text(encoding="utf-8")) | made
        FILE.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
