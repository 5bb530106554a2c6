"""Answers without an LLM: the span, sentence or table cell of the passages that answers best.

The first tier of the cascade. With a cross-encoder it reads the passages and gives the span;
without one, and for tables, the best window: the dumb baseline that always works. It adds nothing
to the words of the documents. Edges of a graph are no sentences: their own tier answers from them.
Not here: whether the answer is good enough (verifiers/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from models.pilot.reading import Judge, having
from pilotfish.types import Answer, Case, Passage
from verifiers import evidence
from verifiers.evidence import Embed, Window
from verifiers.relevance import TOTALS, features, pick_score
from verifiers.spanned import EXTRACT, best_span, reads_text

READ_PASSAGES = 5
CLEAR = 0.95  # a second row must be less like the question than this share of the first
MODEL = EXTRACT
_WHO = re.compile(r"\W*(who|whom)\b", re.I)
_NAMING = re.compile(r"\b(name|person|employee|member|staff|who)\b", re.I)
_PERSON = re.compile(r"[^\W\d_a-z][\w'’.-]*(?: [^\W\d_a-z][\w'’.-]*){1,3}")


@dataclass(frozen=True, slots=True)
class Extract:
    """Puts the best answer of the first passages into `case.answer`; an abstention without any.

    model: the cross-encoder that reads spans; None, or one that reads none: windows are ranked by
    words and cosine.
    texts_only: leaves the case as it is where the best passage is no text. name: also what the
    answer's `model` says: calibrations of one say nothing of the other.
    """

    embed: Embed
    passages: int = READ_PASSAGES
    model: Judge | None = None
    texts_only: bool = False
    name: str = EXTRACT

    def __call__(self, case: Case, /) -> Case:
        question, scope = case.question.text, case.question.scope
        if scope.topic is not None or scope.table is not None:  # others answer from there
            return case
        if (reader := having(self.model, "spans")) and reads_text(case):
            return _read(case, reader)
        if self.texts_only and not reads_text(case):
            return case
        stated = [passage for passage in case.passages if passage.kind != "triple"]
        found = candidates(question, stated[: self.passages], self.embed)
        if not found:
            return replace(case, answer=Answer("", model=self.name, abstained=True))
        window, score, rank = found[0]
        if why := _many_rows(question, found):
            withheld = Answer("", model=self.name, abstained=True)
            return replace(case, answer=withheld, notes={"why": why})
        text, values = said(question, window, self.embed)
        notes = {"score": round(score, 4), "features": _rounded(features(question, window, rank))}
        return replace(case, answer=Answer(text, values, self.name), notes=notes)


def _read(case: Case, model: Judge) -> Case:
    found = best_span(case.question.text, case.passages, model)
    if found is None:
        return replace(case, answer=Answer("", model=MODEL, abstained=True))
    notes = {"passage": found.passage.id, "features": _rounded(found.features)}
    return replace(case, answer=Answer(found.answer, (found.answer,), MODEL), notes=notes)


def _many_rows(question: str, found: Sequence[tuple[Window, float, int]]) -> str:
    """Why the best window, a table row, is no answer by itself; empty when it may be one."""
    window = found[0][0]
    if window.passage.kind != "table":
        return ""
    if TOTALS.search(question):
        return "the question asks for a figure over many rows; one row is no answer"
    rows = [w for w, _, _ in found[1:] if _same_table(w.passage, window.passage)]
    likeness = window.overlap + window.cosine
    if any(row.overlap + row.cosine > likeness * CLEAR for row in rows):
        return "several rows of the table fit the question about equally well"
    return ""


def _same_table(one: Passage, other: Passage) -> bool:
    return (one.document, one.place.table) == (other.document, other.place.table)


def candidates(
    question: str, passages: Sequence[Passage], embed: Embed
) -> list[tuple[Window, float, int]]:
    """(window, its score, rank of its passage), best first."""
    ranks = {passage.id: rank for rank, passage in enumerate(passages)}
    found = [window for passage in passages for window in evidence.windows(passage, widths=(1,))]
    rated = [
        (window, pick_score(question, window, ranks[window.passage.id]), ranks[window.passage.id])
        for window in evidence.ranked(question, found, embed)
    ]
    return sorted(rated, key=lambda one: (-one[1], one[2]))


def said(question: str, window: Window, embed: Embed) -> tuple[str, tuple[str, ...]]:
    """The answer's words: the window itself, or of a table row the cell that is asked for."""
    if window.passage.kind != "table":
        return " ".join(window.text.split()), ()
    cells = [part.partition(": ") for part in re.split(r"; (?=[^;:]{1,60}: )", window.text)]
    wanted = set(evidence.content(question))
    free = [(head, value) for head, colon, value in cells
            if colon and not set(evidence.content(value)) & wanted]  # fmt: skip
    if not free:
        return window.text, ()
    vectors = embed([question, *(head for head, _ in free)])
    shared = [len(set(evidence.content(head)) & wanted) for head, _ in free]
    scores = [float(v @ vectors[0]) + s for v, s in zip(vectors[1:], shared, strict=True)]
    named = next(
        (at for at, (head, value) in enumerate(free)
         if _NAMING.search(head) and _PERSON.fullmatch(value)), None,
    )  # fmt: skip
    described = wanted <= set(evidence.content(window.text))  # the row says all of the question
    if named is not None and described and _WHO.match(question) and not any(shared):
        return f"{free[named][0]}: {free[named][1]}", (free[named][1],)  # whom the row is about
    head, value = free[scores.index(max(scores))]
    return f"{head}: {value}", (value,)


def _rounded(found: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in found.items()}
