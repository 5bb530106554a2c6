"""Every figure of a report: its name, what it means, and what one question adds to it.

A figure is a sum over a sum of all questions, so that one bootstrap serves them all. A question
adds (above, below) the line, or None where it has no part in the figure; a NaN above makes the
figure unknown as a whole. Not here: resampling (bootstrap.py), how figures look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.bertscore import Matched
from pipeline.evaluation.bootstrap import Ratios
from pipeline.evaluation.rows import Row

Part = tuple[float, float] | None
Unit = Literal["share", "score", "number", "usd", "seconds"]
Group = Literal["Answers", "Words", "Meaning", "Citations", "Abstaining", "Cost"]


@dataclass(frozen=True, slots=True)
class Figure:
    """`better`: 1 when more is better, -1 when less is, 0 when neither. `missing`: why it may have
    no value.
    """

    name: str
    label: str
    group: Group
    unit: Unit
    better: int
    missing: str
    part: Callable[[Row], Part]


def _of(asked: bool, value: float | None) -> Part:
    """A mean over those that are asked for and have a value."""
    return (float(value), 1.0) if asked and value is not None else None


def _known(value: float | None, below: float = 1.0) -> Part:
    """A sum that is unknown as soon as one of its parts is."""
    return (math.nan if value is None else float(value), below)


def _bert(read: Callable[[Matched], float], rescaled: bool) -> Callable[[Row], Part]:
    def part(row: Row) -> Part:
        found = row.rescaled if rescaled else row.bert
        return None if found is None else (read(found), 1.0)

    return part


def _due(row: Row) -> bool:
    """Nothing right was held back."""
    return not (row.answerable and row.right)


_NONE_ANSWERED = "nothing was answered"
_NO_RIGHT = "GOLD has no question with an answer"
_NO_BERT = "no answer could be compared by the encoder"
_NO_BASE = "fewer than two different right answers to reckon a baseline from"
_UNPAID = "some receipt does not say it"
_KEPT = "nothing was held back"

FIGURES: tuple[Figure, ...] = (
    Figure("right", "Answered right, of the answerable", "Answers", "share", 1, _NO_RIGHT,
           lambda r: _of(r.answerable, r.hit)),
    Figure("wrong", "Wrong, of the answered", "Answers", "share", -1, _NONE_ANSWERED,
           lambda r: _of(r.answered, not r.right)),
    Figure("answered", "Answered, of all", "Answers", "share", 0, "", lambda r: (r.answered, 1.0)),
    Figure("failed", "Failed, of all", "Answers", "share", -1, "",
           lambda r: (r.reply.failure is not None, 1.0)),
    Figure("support", "Mean support of the answered", "Answers", "score", 0,
           "no answer has a support", lambda r: _of(r.answered, r.reply.support)),
    Figure("exact", "Exact match, of the answerable", "Words", "share", 1, _NO_RIGHT,
           lambda r: _of(r.answerable, r.graded.exact * r.answered)),
    Figure("f1", "Token F1, of the answerable", "Words", "score", 1, _NO_RIGHT,
           lambda r: _of(r.answerable, r.graded.f1 * r.answered)),
    Figure("contains", "Right answer within the text, of the answerable", "Words", "share", 1,
           _NO_RIGHT, lambda r: _of(r.answerable, r.graded.contains * r.answered)),
    Figure("exact_answered", "Exact match, where answered", "Words", "share", 1, _NONE_ANSWERED,
           lambda r: _of(r.answerable and r.answered, r.graded.exact)),
    Figure("f1_answered", "Token F1, where answered", "Words", "score", 1, _NONE_ANSWERED,
           lambda r: _of(r.answerable and r.answered, r.graded.f1)),
    Figure("yes_no", "Yes or no right, of such questions", "Words", "share", 1,
           "GOLD has no yes-or-no question",
           lambda r: _of(r.graded.yes_no is not None, (r.graded.yes_no or 0.0) * r.answered)),
    Figure("bertscore_precision", "BERTScore precision", "Meaning", "score", 1, _NO_BERT,
           _bert(lambda m: m.precision, False)),
    Figure("bertscore_recall", "BERTScore recall", "Meaning", "score", 1, _NO_BERT,
           _bert(lambda m: m.recall, False)),
    Figure("bertscore_f1", "BERTScore F1", "Meaning", "score", 1, _NO_BERT,
           _bert(lambda m: m.f1, False)),
    Figure("bertscore_precision_rescaled", "BERTScore precision over chance", "Meaning", "score",
           1, _NO_BASE, _bert(lambda m: m.precision, True)),
    Figure("bertscore_recall_rescaled", "BERTScore recall over chance", "Meaning", "score", 1,
           _NO_BASE, _bert(lambda m: m.recall, True)),
    Figure("bertscore_f1_rescaled", "BERTScore F1 over chance", "Meaning", "score", 1, _NO_BASE,
           _bert(lambda m: m.f1, True)),
    Figure("length", "Length alone: shorter over longer", "Meaning", "score", 0, _NONE_ANSWERED,
           lambda r: _of(r.answerable and r.answered, r.closeness)),
    Figure("citation_recall", "Citation recall (ALCE)", "Citations", "share", 1, _NONE_ANSWERED,
           lambda r: _of(r.answered, r.cited.recall if r.cited else None)),
    Figure("citation_precision", "Citation precision (ALCE)", "Citations", "share", 1,
           _NONE_ANSWERED, lambda r: _of(r.answered, r.cited.precision if r.cited else None)),
    Figure("citations", "Citations an answer", "Citations", "number", 0, _NONE_ANSWERED,
           lambda r: _of(r.answered, len(r.reply.citations))),
    Figure("abstained_unanswerable", "Not answered, of the unanswerable", "Abstaining", "share",
           1, "GOLD has no question without an answer",
           lambda r: _of(not r.answerable, not r.answered)),
    Figure("abstained_due", "Nothing right held back, of what was held back", "Abstaining",
           "share", 1, _KEPT,
           lambda r: _of(not r.answered and r.reply.failure is None, _due(r))),
    Figure("lost", "Right but held back, of the answerable", "Abstaining", "share", -1, _NO_RIGHT,
           lambda r: _of(r.answerable, r.right and not r.answered)),
    Figure("free_right", "Right without an LLM call, of the answerable", "Cost", "share", 1,
           _UNPAID, lambda r: _known(None if r.reply.calls is None else
                                     r.hit and r.reply.calls == 0) if r.answerable else None),
    Figure("calls", "LLM calls a question", "Cost", "number", -1, _UNPAID,
           lambda r: _known(r.reply.calls)),
    Figure("tokens", "LLM tokens a question", "Cost", "number", -1, _UNPAID,
           lambda r: _known(r.reply.tokens)),
    Figure("cost", "Cost a question", "Cost", "usd", -1, "some price is unknown",
           lambda r: _known(r.reply.cost)),
    Figure("cost_per_right", "Cost a right answer", "Cost", "usd", -1,
           "some price is unknown, or nothing is right",
           lambda r: _known(r.reply.cost, float(r.hit))),
    Figure("seconds", "Seconds a question", "Cost", "seconds", -1, _UNPAID,
           lambda r: _known(r.reply.seconds)),
)  # fmt: skip


def ratios(rows: Sequence[Row]) -> Ratios:
    """What every question adds to every figure of FIGURES; unknown figures are all nought."""
    above = np.zeros((len(rows), len(FIGURES)))
    below = np.zeros_like(above)
    for place, row in enumerate(rows):
        for column, figure in enumerate(FIGURES):
            above[place, column], below[place, column] = figure.part(row) or (0.0, 0.0)
    unknown = np.isnan(above).any(axis=0)
    above[:, unknown] = below[:, unknown] = 0.0
    return Ratios(above, below)
