"""Citation recall and precision as ALCE defines them (Gao et al. 2023, arXiv 2305.14627).

A sentence is recalled when its citations, read together, entail it. A citation is precise when its
sentence is recalled and it matters: it entails the sentence alone, or the others do not without
it. Whether texts entail a sentence is a judge's business: any `(claim, evidence) -> probability`.
Not here: a judge (judge.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pilotfish.text import sentences, words
from pipeline.evaluation.records import Cited, Reply

Judge = Callable[[str, str], float]
ENTAILED = 0.5  # probability from which a claim counts as entailed
SHORT = 6  # words; a shorter statement is judged together with its question, as ALCE's QAMPARI is


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer, as it is judged, and what it cites."""

    claim: str
    cited: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """Of one answer: which statements are recalled, which citations are precise."""

    recalled: tuple[bool, ...]
    precise: tuple[bool, ...]

    @property
    def recall(self) -> float:
        return sum(self.recalled) / len(self.recalled) if self.recalled else 0.0

    @property
    def precision(self) -> float:
        return sum(self.precise) / len(self.precise) if self.precise else 0.0


def statements(reply: Reply, question: str) -> list[Statement]:
    """The answer's sentences. A citation belongs to those it overlaps, or to all without a place;
    one whose place lies outside of the text belongs to the last.
    """
    spans = [span for span in sentences(reply.text) if words(reply.text[slice(*span)])]
    held: list[list[Cited]] = [[] for _ in spans]
    for one in reply.citations:
        places = [n for n, span in enumerate(spans) if _overlaps(one.sentence, span)]
        for place in places or ([len(spans) - 1] if spans else []):
            held[place].append(one)
    return [
        Statement(_claim(reply.text[slice(*span)], question), tuple(cited))
        for span, cited in zip(spans, held, strict=True)
    ]


def _overlaps(place: tuple[int, int] | None, span: tuple[int, int]) -> bool:
    return place is None or (place[0] < span[1] and span[0] < place[1])


def _claim(text: str, question: str) -> str:
    return f"{question} {text}" if len(words(text)) < SHORT and question else text


def judged(reply: Reply, question: str, judge: Judge) -> Judged | None:
    """ALCE's two measures of one answer; None where it has no sentence."""
    found = [alce(statement, judge) for statement in statements(reply, question)]
    if not found:
        return None
    precise = tuple(flag for _, flags in found for flag in flags)
    return Judged(tuple(recalled for recalled, _ in found), precise)


def alce(statement: Statement, judge: Judge) -> tuple[bool, tuple[bool, ...]]:
    """Whether the statement is recalled, and whether each of its citations is precise."""
    texts = [one.evidence if one.quote.strip() else "" for one in statement.cited]
    if not _entails(statement.claim, texts, judge):
        return False, (False,) * len(texts)
    if len(texts) == 1:
        return True, (True,)
    return True, tuple(
        _matters(statement.claim, texts, place, judge) for place in range(len(texts))
    )


def _matters(claim: str, texts: Sequence[str], place: int, judge: Judge) -> bool:
    others = [*texts[:place], *texts[place + 1 :]]
    return _entails(claim, [texts[place]], judge) or not _entails(claim, others, judge)


def _entails(claim: str, texts: Sequence[str], judge: Judge) -> bool:
    evidence = "\n\n".join(text for text in texts if text.strip())
    return bool(evidence) and judge(claim, evidence) >= ENTAILED
