"""Reading: the right sentence, token F1, and telling the right passage from the best wrong one.

Held-out questions of nq_oracle and xquad. The wrong passage of a question is the first of the
fused ranking over all passages that does not hold an answer string. Not here: answering over a
collection (risk, end to end).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.judges import rows
from models.auroc import auroc
from models.training import mining, sources
from pilotfish.settings import load
from pilotfish.text import sentences
from pipeline.evaluation.scores import normalised
from pipeline.evaluation.scores import text_f1 as f1
from pipeline.judges import judges
from pipeline.reader import Read

SENTENCE_BAR, F1_BAR, AUROC_BAR = 0.85, 0.10, 0.85
Row = dict[str, Any]


def measure(ground: Ground) -> dict[str, Any]:
    """Figures of the model and of the rules, by set and together."""
    asked = {name: rows.questions(name)[: 40 if ground.quick else None] for name in sources.READING}
    wrong = hard_passages(ground.work, {row["question"] for some in asked.values() for row in some})
    table = {
        judge: {name: scored(judge, some, wrong) for name, some in asked.items()}
        for judge in ("pilot", "rules")
    }
    means = {judge: _mean(list(by.values())) for judge, by in table.items()}
    gain = means["pilot"]["f1"] - means["rules"]["f1"]
    return {
        "sets": table, "mean": means,
        "bars": {
            f"answer's sentence picked at least {SENTENCE_BAR}":
                means["pilot"]["sentence"] >= SENTENCE_BAR,
            f"token F1 at least {F1_BAR} above the rules": gain >= F1_BAR,
            f"right against best wrong passage AUROC at least {AUROC_BAR}":
                means["pilot"]["right or wrong passage"] >= AUROC_BAR,
        },
    }  # fmt: skip


def scored(judge: str, asked: Sequence[Row], wrong: dict[str, str]) -> dict[str, float]:
    """sentence, exact match, f1, and AUROC of support: right, hard wrong, shuffled passages."""
    reader = judges(load({"judge": judge})).reader
    read = reader([(row["question"], row["context"]) for row in asked])
    hard = reader([(row["question"], wrong[row["question"]]) for row in asked])
    contexts = [row["context"] for row in asked]
    random.Random(3).shuffle(contexts)
    shuffled = reader(list(zip([row["question"] for row in asked], contexts, strict=True)))
    pairs = list(zip(read, asked, strict=True))
    found = {
        "questions": len(asked),
        "sentence": np.mean([in_sentence(one, row) for one, row in pairs]),
        "exact": np.mean([max(normalised(one.answer) == normalised(a) for a in row["answers"])
                          for one, row in pairs]),
        "f1": np.mean([max(f1(one.answer, a) for a in row["answers"]) for one, row in pairs]),
        "right or wrong passage": _told_apart(read, hard),
        "right or shuffled passage": _told_apart(read, shuffled),
    }  # fmt: skip
    return {key: round(float(value), 4) for key, value in found.items()}


def in_sentence(read: Read, row: Row) -> bool:
    """Whether an answer stands in the sentence that the answer was read from."""
    for start, end in sentences(row["context"]):
        if start <= read.start < end:
            said = f" {normalised(row['context'][start:end])} "
            return any(f" {normalised(answer)} " in said for answer in row["answers"])
    return False


def hard_passages(work: Path, asked: set[str]) -> dict[str, str]:
    """question -> the best-ranked passage of the collection without an answer string."""
    _, passages, every = mining.reading_pool()
    texts = list(passages.values())
    ranks = mining.ranked(work / "reading-ranks.json", [one.text for one in every], texts)
    found: dict[str, str] = {}
    for one, order in zip(every, ranks, strict=True):
        if one.text in asked:
            wrong = (texts[place] for place in order)
            found[one.text] = next(text for text in wrong if mining.is_wrong(one, text, text))
    return found


def _told_apart(right: Sequence[Read], wrong: Sequence[Read]) -> float:
    labels = np.array([True] * len(right) + [False] * len(wrong))
    return auroc(labels, np.array([one.support for one in (*right, *wrong)]))


def _mean(found: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in found])), 4) for key in found[0]}
