"""Sampling checks: do they tell wrong answers from right ones, on answers that models really gave?

Semantic entropy and SelfCheck: the four recorded systems of routing/gsm8k_cascade stand for four
samples (other systems, not one model asked again: no recorded set has such samples). Contrast:
halueval_qa's right answers and those that ChatGPT made up, the reader reading the evidence; only
documents that training left out. Beside each the dumb way: equal final numbers, length, shared
words. Not here: the checks (verifiers/selfcheck.py, entropy.py, contrast.py).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from models.auroc import auroc
from models.encoders import Encoders
from models.pilot.chosen import chosen
from models.training import sources
from pilotfish.settings import load
from pilotfish.text import sentences, words
from pilotfish.types import Answer, Case, Citation, Passage, Question, Span
from pipeline.extract import Extract
from pipeline.parts import Memo
from verifiers.contrast import Contrast
from verifiers.entropy import entropy, meanings
from verifiers.nli import Nli, judged_by
from verifiers.selfcheck import inconsistency

ASKED, SEED = 250, 9
LAST = "175b_verification"  # the system whose answers are judged
Row = dict[str, Any]


def measure(ground: Ground) -> dict[str, Any]:
    """AUROC of each check for `the answer is right`; above a half it is worth something."""
    count = 20 if ground.quick else ASKED
    embed, judge = Memo(Encoders()("all-MiniLM-L6-v2")), chosen("pilot", "pilot", 0)
    nli = judged_by(judge, embed)
    asked = list(sources.rows("routing/gsm8k_cascade"))
    some = random.Random(SEED).sample(asked, min(count, len(asked)))
    return {
        "samples": sampled(some, nli),
        "contrast": contrast(unseen()[: 2 * count], Extract(embed, model=judge), nli),
        "judge": load({}).judge,
    }


def sampled(rows: Sequence[Row], nli: Nli) -> dict[str, Any]:
    """Of answers to the same problems by four systems, the last one's is judged."""
    right = np.array([_of(row, LAST)["correct"] for row in rows])
    answers = [
        [_of(row, LAST), *(a for a in row["answers"] if a["system"] != LAST)] for row in rows
    ]
    texts = [[final(a["text"]) for a in some] for some in answers]
    found = [meanings([f"{row['question']} {text}" for text in some], nli)
             for row, some in zip(rows, texts, strict=True)]  # fmt: skip
    checks = [np.mean([inconsistency(_span(some[0]["text"], span), [a["text"] for a in some[1:]],
                                     nli) for span in sentences(some[0]["text"])[-1:]])
              for some in answers]  # fmt: skip
    scores = {
        "semantic entropy": [-entropy(one) for one in found],
        "share of its meaning": [one.count(one[0]) / len(one) for one in found],
        "equal final numbers": [some.count(some[0]) / len(some) for some in texts],
        "selfcheck": [-one for one in checks],
        "short": [-len(some[0]["text"].split()) for some in answers],
    }
    return _told(right, scores)


def contrast(rows: Sequence[Row], reader: Extract, nli: Nli) -> dict[str, Any]:
    """Right answers against made-up ones; the check's own agreement is the score."""
    right = np.array([row["label"] == "supported" for row in rows])
    step = Contrast(reader, nli)
    agreed = [_agreement(step, row) for row in rows]
    scores = {
        "agreement": [0.5 if one is None else one for one in agreed],
        "shared words": [_overlap(row["answer"], row["evidence"]) for row in rows],
        "short": [-len(row["answer"].split()) for row in rows],
    }
    known = np.array([one is not None for one in agreed])
    flagged = np.array([one is not None and one < step.least for one in agreed])
    return _told(right, scores) | {
        "the reader answers": round(float(known.mean()), 4),
        "made-up answers flagged": round(float(flagged[~right].mean()), 4),
        "right answers flagged": round(float(flagged[right].mean()), 4),
    }


def _told(right: Any, scores: dict[str, list[float]]) -> dict[str, Any]:
    found = {name: round(auroc(right, np.array(some)), 4) for name, some in scores.items()}
    return {"answers": len(right), "right": round(float(right.mean()), 4), "AUROC": found}


def _agreement(step: Contrast, row: Row) -> float | None:
    """What the step notes; None: its reader finds no answer."""
    text = row["evidence"]
    passage = Passage(1, text, "d", 0, len(text))
    citation = Citation((0, len(row["answer"])), Span("d", 0, len(text), text), 0.9, 1)
    answer = Answer(row["answer"], model="llm", citations=(citation,), support=0.9)
    case = step(Case(Question(row["question"]), (passage,), answer=answer))
    found = case.notes.get("agreement")
    return float(found) if isinstance(found, float | int) else None


def _overlap(answer: str, evidence: str) -> float:
    ours, theirs = set(words(answer)), set(words(evidence))
    return len(ours & theirs) / max(1, len(ours))


def _of(row: Row, system: str) -> Row:
    found: Row = next(one for one in row["answers"] if one["system"] == system)
    return found


def final(text: str) -> str:
    """The last number of a worked answer, as it is written; the last line where there is none."""
    numbers = re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)
    return numbers[-1].replace(",", "") if numbers else text.strip().split("\n")[-1]


def _span(text: str, span: tuple[int, int]) -> str:
    return text[span[0] : span[1]]


def unseen() -> list[Row]:
    """halueval_qa's rows of documents that training left out."""
    rows, made = sources.rows("verification/halueval_qa"), sources.verification("halueval_qa")
    return [row for row, one in zip(rows, made, strict=True) if one.held]
