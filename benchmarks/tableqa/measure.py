"""Measures the table helper: `python -m benchmarks.tableqa.measure`.

Questions: the shipped weights on wtq_dev, whose tables none of them saw. Claims: cross-fitted over
tabfact, four parts by table, since there is one file; the shipped claim weights saw all of it. Each
beside a dumb baseline. Not here: fitting what is shipped (fit.py).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

from benchmarks.tableqa import records, score
from retrievers.tableqa.fitting import PARTS, Example, Studied, crossed, study_claims
from retrievers.tableqa.frame import Frame
from retrievers.tableqa.solver import Solver
from retrievers.tableqa.trust import Trust
from retrievers.tableqa.words import STOP, stems

Figures = dict[str, float]
WANTED = 0.8  # of the questions that it chooses to answer
SURE = 0.25  # of the claims, the most confident ones


def measure(every: int = 1) -> dict[str, Figures]:
    """The figures of both, of every n-th example; prints nothing."""
    return {"questions": questions(every), "claims": claims(every)}


def questions(every: int = 1) -> Figures:
    """Denotation accuracy on wtq_dev, coverage at WANTED, seconds a question, the baseline's."""
    asked, solver = records.questions("dev")[::every], Solver.load()
    chances: list[float] = []
    correct: list[bool] = []
    dumb = 0
    begin = time.process_time()
    for example in asked:
        told = solver.answer(example.text, example.columns, example.rows)
        chances.append(told[0].confidence if told else 0.0)
        correct.append(bool(told) and score.right(told[0].values, example.answers))
    seconds = (time.process_time() - begin) / len(asked)
    dumb = sum(score.right([overlap(each)], each.answers) for each in asked)
    return {
        "count": len(asked), "accuracy": sum(correct) / len(asked),
        "coverage_at_80": score.coverage(chances, correct, WANTED),
        "threshold_at_80": _threshold(chances, correct),
        "right_above_0.8": _above(chances, correct, 0.8)[0],
        "share_above_0.8": _above(chances, correct, 0.8)[1],
        "calibration_error": calibration(chances, correct),
        "seconds": seconds, "baseline_word_overlap": dumb / len(asked),
    }  # fmt: skip


def _threshold(chances: Sequence[float], correct: Sequence[bool]) -> float:
    share = score.coverage(chances, correct, WANTED)
    ranked = sorted(chances, reverse=True)
    return ranked[max(0, round(share * len(ranked)) - 1)]


def _above(chances: Sequence[float], correct: Sequence[bool], least: float) -> tuple[float, float]:
    """(share of right ones, share of all) among those of at least this confidence."""
    hits = [hit for chance, hit in zip(chances, correct, strict=True) if chance >= least]
    return (sum(hits) / len(hits) if hits else 0.0), len(hits) / len(correct)


def calibration(chances: Sequence[float], correct: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over equally wide bins."""
    total = 0.0
    for number in range(bins):
        held = [(c, hit) for c, hit in zip(chances, correct, strict=True)
                if number == min(int(c * bins), bins - 1)]  # fmt: skip
        total += abs(sum(c for c, _ in held) - sum(hit for _, hit in held))
    return total / len(chances)


def overlap(example: Example) -> str:
    """The dumb answer: of the row that shares most words with the question, the best other cell.

    Best: its header shares most words, the first one among equals.
    """
    said = {word for word in stems(example.text) if word not in STOP}
    frame = Frame.of(example.columns, example.rows)
    if not len(frame):
        return ""
    shared = [sum(len(said & set(cell.stems)) for cell in row) for row in frame.cells]
    row = frame.cells[max(range(len(shared)), key=lambda i: shared[i])]
    heads = [len(said & set(column.stems)) - len(said & set(cell.stems))
             for column, cell in zip(frame.columns, row, strict=True)]  # fmt: skip
    return row[max(range(len(heads)), key=lambda i: heads[i])].raw


def claims(every: int = 1) -> Figures:
    """Accuracy of all and of the most confident SURE, beside the share of the larger label."""
    studied = list(study_claims(records.claims()[::every]))
    return judged_figures(studied, crossed(studied))


def judged_figures(studied: Sequence[Studied], rows: Sequence[tuple[list[float], bool]]) -> Figures:
    """The figures of cross-fitted claims; each part's trust is fitted on the other parts."""
    parts = [one.part for one in studied]
    judged: list[tuple[float, bool]] = []
    for part in range(PARTS):
        others = [row for row, p in zip(rows, parts, strict=True) if p != part]
        trust = Trust.fitted([row for row, _ in others], [true for _, true in others])
        judged += [(trust(row), true) for (row, true), p in zip(rows, parts, strict=True)
                   if p == part]  # fmt: skip
    ranked = sorted(((max(c, 1 - c), (c >= 0.5) == true) for c, true in judged), reverse=True)
    sure = ranked[: int(SURE * len(ranked))]
    supported = sum(true for _, true in judged) / len(judged)
    return {
        "count": len(judged), "accuracy": sum(hit for _, hit in ranked) / len(ranked),
        "accuracy_at_25": sum(hit for _, hit in sure) / len(sure),
        "confidence_at_25": sure[-1][0],
        "calibration_error": calibration([c for c, _ in judged], [true for _, true in judged]),
        "baseline_majority": max(supported, 1 - supported),
    }  # fmt: skip


def main() -> None:
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="measure every n-th example only")
    parser.add_argument("--only", choices=("questions", "claims"))
    given = parser.parse_args()
    if given.only:
        figures = {given.only: questions(given.every) if given.only == "questions"
                   else claims(given.every)}  # fmt: skip
    else:
        figures = measure(given.every)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
