"""The span of the passages that answers best, and what P(it is right) is judged by.

The extractive tier answers with it, support and citations look at it again: one reading of each
passage serves all three (the pilot remembers). Answers that several passages give count more, as
in open-domain readers (Yang et al. 2019, arXiv 1902.01718, interpolate reader and retriever
scores). Not here: tables, whose rows are read cell by cell (pipeline/extract.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpus.tokens import tokens
from models.pilot.chosen import of_questions
from models.pilot.reading import Judge, Reading, shown
from models.premise import premise
from pilotfish.text import fold, sentences
from pilotfish.types import Case, Passage
from verifiers.evidence import content, missing_names
from verifiers.relevance import composed, polar
from verifiers.weights import logit

READ = frozenset({"text", "manual"})  # kinds of passage that are read as sentences
EXTRACT = "extract"  # the model that extractive answers name
PASSAGES = 5
RELEVANCE = 0.5  # weight of the relevance logit beside the span's margin
GAP = 8.0  # the gap of an answer without a rival
LONG = 4  # words of an answer; longer ones are seldom cut as people would cut them


@dataclass(frozen=True, slots=True)
class Found:
    """An answer at [start, end) of its passage's document, and what was seen of it."""

    answer: str
    passage: Passage
    start: int
    end: int
    reading: Reading
    features: Mapping[str, float]

    @property
    def sentence(self) -> tuple[int, int]:
        """Start and end, in the document, of the sentence (or sentences) around the answer."""
        base = self.passage.start
        inside = [(a, b) for a, b in sentences(self.passage.text)
                  if b > self.start - base and a < self.end - base]  # fmt: skip
        if not inside:
            return self.start, self.end
        return base + inside[0][0], base + inside[-1][1]


@dataclass(frozen=True, slots=True)
class _Candidate:
    rank: int
    passage: Passage
    answer: str
    start: int
    score: float
    reading: Reading


def spanned(case: Case, model: Judge | None) -> Found | None:
    """Where the case's answer is the extractive tier's span: that span, found again."""
    answer = case.answer
    if model is None or answer is None or answer.model != EXTRACT or not reads_text(case):
        return None
    found = best_span(case.question.text, case.passages, model)
    return found if found is not None and found.answer == answer.text else None


def reads_text(case: Case) -> bool:
    """Whether the span reader is asked: not where the best passage is a row of a table.

    Edges do not count: nobody reads a span in them, their own tier answers.
    """
    kinds = (passage.kind for passage in case.passages)
    return next((kind for kind in kinds if kind != "triple"), "") in READ


def best_span(question: str, passages: Sequence[Passage], model: Judge) -> Found | None:
    """The best-scored span of the first text passages; None where nothing was read."""
    read = [p for p in passages if p.kind in READ][:PASSAGES]
    if not read:
        return None
    model = of_questions(model)
    readings = model([(question, shown(p.title, p.text)) for p in read])
    every = [c for rank, (p, r) in enumerate(zip(read, readings, strict=True))
             for c in _candidates(rank, p, r)]  # fmt: skip
    if not every:
        return None
    best = max(every, key=lambda one: one.score)
    start = best.passage.start + best.start
    seen = _features(question, best, every) | {"carried": _carried(question, best, model)}
    return Found(best.answer, best.passage, start, start + len(best.answer), best.reading, seen)


def _candidates(rank: int, passage: Passage, reading: Reading) -> list[_Candidate]:
    shift = len(shown(passage.title, passage.text)) - len(passage.text)
    found = []
    for start, end, height in reading.spans:
        answer = passage.text[max(0, start - shift) : max(0, end - shift)]
        if start >= shift and answer.strip():
            score = height - reading.null + RELEVANCE * reading.relevance
            found.append(_Candidate(rank, passage, answer, start - shift, score, reading))
    return found


def _features(question: str, best: _Candidate, every: Sequence[_Candidate]) -> dict[str, float]:
    same = _bare(best.answer)
    rivals = [one.score for one in every if not _alike(_bare(one.answer), same)]
    agreeing = {one.rank for one in every if _bare(one.answer) == same} - {best.rank}
    whole = f"{best.passage.title} {best.passage.text}"
    return {
        "margin": best.score - RELEVANCE * best.reading.relevance,
        "gap": min(GAP, best.score - max(rivals, default=best.score - GAP)),
        "relevance": best.reading.relevance,
        "first": float(best.rank == 0),
        "agree": float(min(2, len(agreeing))),
        "words": float(min(12, len(best.answer.split()))),
        "long": float(len(best.answer.split()) > LONG),
        "whole": _shared(question, whole),
        "names": missing_names(question, whole),
        "polar": float(polar(question)),
        "composed": float(composed(question)),
    }


def _shared(question: str, text: str) -> float:
    """Share of the question's words that stand in the text."""
    wanted, there = content(question), set(tokens(text))
    return sum(token in there for token in wanted) / len(wanted) if wanted else 0.0


def _carried(question: str, best: _Candidate, model: Judge) -> float:
    """Log-odds that the passage carries question and answer read as one claim."""
    claim = f"{question} {best.answer}"
    text = premise(claim, shown(best.passage.title, best.passage.text))
    (told,) = model([(claim, text)])
    return logit(told.supported)


def _alike(one: str, other: str) -> bool:
    return one in other or other in one


def _bare(answer: str) -> str:
    return " ".join(fold(answer).strip(" .,;:\"'()").split())
