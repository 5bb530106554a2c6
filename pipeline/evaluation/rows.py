"""One question measured: what was said against what is right, by every score.

Not here: the single measures, figures over many rows (figures.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.bertscore import Matched
from pipeline.evaluation.citations import Judge, Judged, judged
from pipeline.evaluation.files import Pair
from pipeline.evaluation.records import Gold, Reply
from pipeline.evaluation.scores import Graded, grade
from pipeline.evaluation.semantic import Encodes, Semantic, bertscores, closeness

Rule = Literal["match", "contains"]


@dataclass(frozen=True, slots=True)
class Row:
    """`right`: whether the text is right, shown or held back. Semantic scores are None where
    nothing was compared, `cited` where nothing was answered or no judge was there.
    """

    reply: Reply
    gold: Gold
    graded: Graded
    right: bool
    closeness: float = 0.0
    bert: Matched | None = None
    rescaled: Matched | None = None
    cited: Judged | None = None

    @property
    def answered(self) -> bool:
        return self.reply.answered

    @property
    def answerable(self) -> bool:
        return bool(self.gold.answers)

    @property
    def hit(self) -> bool:
        """Answered, and right."""
        return self.answered and self.right

    @property
    def question(self) -> str:
        return self.gold.question or self.reply.question

    @property
    def confidence(self) -> float | None:
        """The support of what was or would have been said; None where there is nothing."""
        return self.reply.support if self.reply.text and self.reply.failure is None else None


@dataclass(frozen=True, slots=True)
class Tools:
    """The small models that measures ask; None leaves their figures out. weigh: by idf."""

    tokens: Encodes | None = None
    judge: Judge | None = None
    weigh: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """All rows, in the order of GOLD; `baseline` and `cut` as of semantic.Semantic."""

    rows: tuple[Row, ...]
    baseline: Matched | None = None
    cut: int = 0


def measured(
    pairs: Sequence[Pair], tools: Tools, rule: Rule, done: Callable[[], None] = lambda: None
) -> Measured:
    """Every pair scored. `done` hears of each one."""
    rows = []
    for pair in pairs:
        rows.append(_cited(_graded(pair, rule), tools.judge))
        done()
    if tools.tokens is None:
        return Measured(tuple(rows))
    found = _semantic(rows, tools.tokens, tools.weigh)
    again = (
        _with(row, score, found.baseline) for row, score in zip(rows, found.scores, strict=True)
    )
    return Measured(tuple(again), found.baseline, found.cut)


def _graded(pair: Pair, rule: Rule) -> Row:
    reply, gold = pair
    forms = [text for text in (reply.text, reply.short) if text.strip()]
    graded = grade(forms, gold.answers)
    lenient = rule == "contains" and graded.yes_no is None
    right = graded.contains == 1.0 if lenient else graded.right
    return Row(reply, gold, graded, right, closeness(reply.text, gold.answers))


def _cited(row: Row, judge: Judge | None) -> Row:
    if judge is None or not row.answered:
        return row
    return replace(row, cited=judged(row.reply, row.question, judge))


def _semantic(rows: Sequence[Row], encoder: Encodes, weigh: bool) -> Semantic:
    """Of what was answered; an empty text stands for the rest."""
    said = [row.reply.text if row.answered else "" for row in rows]
    return bertscores(encoder, said, [row.gold.answers for row in rows], weigh)


def _with(row: Row, score: Matched | None, baseline: Matched | None) -> Row:
    rescaled = score.rescaled(baseline) if score and baseline else None
    return replace(row, bert=score, rescaled=rescaled)
