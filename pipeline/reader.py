"""Reads a passage for a question: where the answer stands, and how sure that is.

With the cross-encoder's span head; without it, the best sentence and rules for the kind of value
asked for (answer_types.py). Long texts are read in overlapping runs of sentences, the best span of
all runs counts. Not here: choosing among passages (extract.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.pilot.chosen import of_questions
from models.pilot.reading import Judge, Reading
from pilotfish.text import sentences
from pilotfish.types import Passage
from pipeline.answer_types import pick
from verifiers import evidence
from verifiers.evidence import Embed
from verifiers.relevance import asked_kind, holds_kind, pick_score, relevance
from verifiers.weights import judge

RUN_WORDS = 150  # what a model of 256 tokens reads beside the question
AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Read:
    """An answer as a slice [start, end) of the context, and P(it is right); empty: none."""

    answer: str
    start: int
    end: int
    support: float


NOTHING = Read("", 0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads (question, context) pairs; `model` None: by rules, the baseline."""

    embed: Embed
    model: Judge | None = None

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[Read]:
        """One Read of each pair, in order."""
        if self.model is None:
            return [self._by_rule(*pair) for pair in pairs]
        found: list[Read] = []
        for start in range(0, len(pairs), AT_ONCE):
            some = pairs[start : start + AT_ONCE]
            parts = [list(runs(text)) for _, text in some]
            asked = [
                (q, text[a:b]) for (q, text), own in zip(some, parts, strict=True) for a, b in own
            ]
            answers = iter(of_questions(self.model)(asked))
            for (question, text), own in zip(some, parts, strict=True):
                found.append(best_of(question, text, own, [next(answers) for _ in own]))
        return found

    def _by_rule(self, question: str, context: str) -> Read:
        passage = Passage(0, context, "", 0, len(context))
        found = list(evidence.windows(passage, widths=(1,)))
        ranked = evidence.ranked(question, found, self.embed)
        if not ranked:
            return NOTHING
        best = max(ranked, key=lambda window: pick_score(question, window, 0))
        start, end = pick(question, best.text)
        start, end = best.start + start, best.start + end
        return Read(context[start:end], start, end, relevance(question, best, 0))


def best_reading(model: Judge, question: str, text: str) -> tuple[str, Reading] | None:
    """The best answer of a text and the reading that it comes from; None where there is no span."""
    own = list(runs(text))
    found = _best(model([(question, text[a:b]) for a, b in own]), own)
    if found is None:
        return None
    reading, (start, _) = found
    first, last, _ = reading.spans[0]
    return text[start + first : start + last], reading


def best_of(
    question: str, text: str, own: Sequence[tuple[int, int]], readings: Sequence[Reading]
) -> Read:
    """The best span of the runs of one context."""
    found = _best(readings, own)
    if found is None:
        return NOTHING
    reading, (start, _) = found
    first, last, _ = reading.spans[0]
    answer = text[start + first : start + last]
    support = judge("read")(read_features(question, answer, reading))
    return Read(answer, start + first, start + last, round(support, 4))


def _best(
    readings: Sequence[Reading], own: Sequence[tuple[int, int]]
) -> tuple[Reading, tuple[int, int]] | None:
    rated = [(reading, run) for reading, run in zip(readings, own, strict=True) if reading.spans]
    return max(rated, key=lambda one: one[0].margin) if rated else None


def read_features(question: str, answer: str, reading: Reading) -> dict[str, float]:
    """What P(right) of a span is judged by."""
    second = reading.spans[1][2] if len(reading.spans) > 1 else reading.spans[0][2] - 8.0
    return {
        "margin": reading.margin,
        "gap": min(8.0, reading.spans[0][2] - second),
        "relevance": reading.relevance,
        "kind": holds_kind(asked_kind(question), answer, question),
        "words": float(min(12, len(answer.split()))),
    }


def runs(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of runs of whole sentences of up to RUN_WORDS words, half overlapping."""
    spans = sentences(text) or [(0, len(text))]
    sizes = [len(text[start:end].split()) for start, end in spans]
    first = 0
    while first < len(spans):
        last, room = first, RUN_WORDS - sizes[first]
        while last + 1 < len(spans) and sizes[last + 1] <= room:
            last += 1
            room -= sizes[last]
        yield spans[first][0], spans[last][1]
        if last + 1 >= len(spans):
            return
        first = max(first + 1, (first + last + 1) // 2)
