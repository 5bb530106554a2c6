"""What a sub-question's passages say: a few candidate answers, each with its share of the belief.

Several are kept, so that one misreading does not end the way. With the cross-encoder's span head;
without it, the best sentence and rules (pipeline/reader.py). Not here: searching, what is asked
with the candidates (hops.py), the answer that is given (hop_answer.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.pilot.chosen import of_questions
from models.pilot.reading import Judge, having, shown
from pilotfish.text import fold
from pilotfish.types import Passage
from pipeline.reader import Reader
from retrievers.titled import match
from verifiers.evidence import Embed
from verifiers.relevance import asked_kind, holds_kind

READ = 4  # passages
RELEVANCE = 0.5  # weight of a relevance logit beside a span's margin
NAMED = 2.0  # and of standing in a passage that the question names
KIND = 1.5  # and of being the kind of value that is asked for
SPREAD = 2.0  # logits are divided by it before they become shares
LONGEST = 12  # words of what may stand in the next question


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that stands in a passage, and its share of the belief in all candidates."""

    text: str
    passage: Passage
    share: float
    score: float


@dataclass(frozen=True, slots=True)
class HopReader:
    """Reads the first passages for one sub-question; at most `keep` candidates, best first."""

    embed: Embed
    judge: Judge | None = None
    keep: int = 3

    def __call__(self, question: str, passages: Sequence[Passage]) -> list[Candidate]:
        """Candidates whose shares sum to 1; none where nothing was read."""
        read = [p for p in passages if p.kind in {"text", "manual"}][:READ]
        judge = having(self.judge, "spans")
        found = self._spans(question, read, judge) if judge else self._by_rule(question, read)
        best: dict[str, tuple[float, str, Passage]] = {}
        for score, text, passage in sorted(found, key=lambda one: -one[0]):
            key = fold(text).strip(" .,;:\"'()")
            if key and len(text.split()) <= LONGEST:
                best.setdefault(key, (score, text.strip(" .,;:\"'"), passage))
        return _shared(list(best.values())[: self.keep])

    def _spans(
        self, question: str, read: Sequence[Passage], judge: Judge
    ) -> list[tuple[float, str, Passage]]:
        pairs = [(question, shown(p.title, p.text)) for p in read]
        kind, found = asked_kind(question), []
        for passage, (_, text), reading in zip(
            read, pairs, of_questions(judge)(pairs), strict=True
        ):
            bonus = RELEVANCE * reading.relevance + NAMED * bool(match(question, passage.title))
            for start, end, height in reading.spans:
                said = text[start:end]
                score = height - reading.null + bonus
                found.append((score + KIND * holds_kind(kind, said, question), said, passage))
        return [one for one in found if fold(one[1]).strip(" .") not in fold(question)]

    def _by_rule(self, question: str, read: Sequence[Passage]) -> list[tuple[float, str, Passage]]:
        answers = Reader(self.embed)([(question, p.text) for p in read])
        return [(4 * one.support + NAMED * bool(match(question, p.title)), one.answer, p)
                for one, p in zip(answers, read, strict=True) if one.answer]  # fmt: skip


def _shared(found: Sequence[tuple[float, str, Passage]]) -> list[Candidate]:
    """Shares of the belief by a softmax over the scores."""
    if not found:
        return []
    highest = found[0][0]
    raised = [math.exp((score - highest) / SPREAD) for score, _, _ in found]
    return [Candidate(text, passage, one / sum(raised), score)
            for one, (score, text, passage) in zip(raised, found, strict=True)]  # fmt: skip
