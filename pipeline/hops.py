"""Hop after hop: a sub-question is searched and read, and the next is written with what was read.

After Self-Ask and IRCoT's interleaving, by small models and without a call (decomposition after
DecompRC, arXiv 1906.02916, and DaSLaM, arXiv 2310.18338). A few candidate answers of each hop go
on, so that one misreading does not end the way. The passages of all hops are fused by rank; what
was asked and read goes on as hints. A single-hop question goes the plain way untouched. Not here:
taking apart (prompters/decompose.py), reading (hop_reading.py), answering (hop_answer.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from pilotfish.step import Step, run
from pilotfish.text import fold
from pilotfish.types import Case, Event, Hint, Passage
from pipeline.hop_reading import Candidate
from prompters.decompose import (
    BRIDGE_COMPARISON,
    COMPARISON,
    INTERSECTION,
    Decomposition,
    filled,
    left_open,
    needs,
)

READ = frozenset({"text", "manual"})  # kinds of passages that hops read
# Kinds of hints. A last answer is what the question itself asks for: an LLM that was told it would
# be no second witness.
FORM, QUERY, SUB_ANSWER, LAST_ANSWER = "form", "query", "sub-answer", "last answer"
BRANCHES = 3  # ways to fill one sub-question
LEAST = 0.05  # belief below which a way is not taken
PLAIN = 0.3  # weight of the whole question's own list
FINAL = {COMPARISON: 2, BRIDGE_COMPARISON: 2, INTERSECTION: 2}  # hops that the answer is made of
CONSTANT = 0.5  # rank fusion: small, since the first of each hop's list is what was looked for

Apart = Callable[[Case], tuple[Decomposition, Case]]
Reads = Callable[[str, Sequence[Passage]], list[Candidate]]


@dataclass(frozen=True, slots=True)
class Way:
    """One filling of a sub-question: its text, the belief in it, what was found and read."""

    text: str
    belief: float
    passages: tuple[Passage, ...]
    read: tuple[Candidate, ...]

    @property
    def worth(self) -> float:
        """Belief in the filling, told by how well what it asks for was found."""
        return self.belief * (self.read[0].share if self.read else LEAST)


@dataclass(frozen=True, slots=True)
class Hop:
    """All ways that one sub-question was asked."""

    ways: tuple[Way, ...]

    @property
    def best(self) -> Way:
        return max(self.ways, key=lambda way: way.worth)

    @property
    def quoted(self) -> tuple[int, ...]:
        """The passages that its candidate answers stand in."""
        return tuple(dict.fromkeys(one.passage.id for way in self.ways for one in way.read))

    @property
    def answers(self) -> list[tuple[str, float]]:
        """Candidate answers over all ways, by belief, which sums to at most 1."""
        total: dict[str, float] = {}
        for way in self.ways:
            for one in way.read:
                total[one.text] = total.get(one.text, 0.0) + way.belief * one.share
        return sorted(total.items(), key=lambda pair: -pair[1])


@dataclass(frozen=True, slots=True)
class Hops:
    """`apart`: takes the question apart; `plain`: the way of single-hop questions; `search`: finds
    passages of text for one (sub-)question; `read`: candidate answers in them.
    """

    apart: Apart
    plain: Step
    search: Step
    read: Reads
    k: int = 10
    name: str = "hops"

    def __call__(self, case: Case, /) -> Case:
        scope = case.question.scope
        if scope.topic is not None or scope.table is not None or scope.kind not in {None, "text"}:
            return run(self.plain, case)
        found, case = self.apart(case)
        if found.single:
            done = run(self.plain, case)
            return replace(done, notes={"form": found.form, "sure": round(found.sure, 3)})
        done = run(self.plain, case)
        hops, trace = self._walk(done, found)
        texts = [passage for passage in done.passages if passage.kind in READ]
        others = [passage for passage in done.passages if passage.kind not in READ]
        passages = (*fused(texts, hops, self.k), *others)  # tables and edges have their own tiers
        notes = {"form": found.form, "sub-questions": list(found.subquestions),
                 "asked": [hop.best.text for hop in hops],
                 "read": [hop.answers[:BRANCHES] for hop in hops]}  # fmt: skip
        hints = (*done.hints, *told(found, hops))
        return replace(done, passages=passages, hints=hints, trace=trace, notes=notes)

    def _walk(self, case: Case, found: Decomposition) -> tuple[list[Hop], tuple[Event, ...]]:
        """The hops in turn, and the trace of all searches."""
        hops: list[Hop] = []
        for part in (*found.subquestions, *left_open(case.answer)):
            ways = []
            for text, belief in fillings(part, hops):
                asked = replace(case, question=replace(case.question, text=text), hints=(),
                                passages=(), notes={})  # fmt: skip
                done = run(self.search, asked)
                case = replace(case, trace=done.trace)
                read = self.read(text, done.passages)
                ways.append(Way(text, belief, done.passages, tuple(read)))
            hops.append(Hop(tuple(ways)))
        return hops, case.trace


def fillings(part: str, hops: Sequence[Hop]) -> Iterator[tuple[str, float]]:
    """(sub-question with earlier answers, belief): the likeliest few; itself where it waits for
    nothing, or for what was not found.
    """
    waits = [number for number in dict.fromkeys(needs(part)) if number <= len(hops)]
    choices = [hops[number - 1].answers[:BRANCHES] for number in waits]
    if not waits or not all(choices):
        yield part, 1.0
        return
    made = []
    for some in product(*choices):
        belief = 1.0
        for _, one in some:
            belief *= one
        answers = dict(zip(waits, (text for text, _ in some), strict=True))
        made.append((filled(part, answers), belief))
    made.sort(key=lambda pair: -pair[1])
    yield made[0]
    yield from (pair for pair in made[1:BRANCHES] if pair[1] >= LEAST)


def fused(plain: Sequence[Passage], hops: Sequence[Hop], k: int) -> tuple[Passage, ...]:
    """The k best passages: reciprocal ranks of every list, weighted by the belief in its question.

    The belief's root: what was read second must still be among the first few. The plain list fills
    up what the hops left.
    """
    lists = [(PLAIN, plain)]
    lists += [(way.belief**0.5, way.passages) for hop in hops for way in hop.ways]
    scores: dict[int, float] = {}
    known: dict[int, Passage] = {}
    for weight, ranking in lists:
        for rank, passage in enumerate(ranking, start=1):
            scores[passage.id] = scores.get(passage.id, 0.0) + weight / (CONSTANT + rank)
            known.setdefault(passage.id, passage)
    order = sorted(scores, key=lambda i: (-scores[i], i))[:k]
    return tuple(replace(known[i], score=scores[i]) for i in order)


def told(found: Decomposition, hops: Sequence[Hop]) -> tuple[Hint, ...]:
    """The form, each sub-question as it was asked, and what was read for it."""
    hints = [Hint(FORM, found.form, found.sure)]
    last = len(hops) - FINAL.get(found.form, 1)
    read: tuple[int, ...] = ()  # a later sub-question has the answers of earlier ones in it
    for at, hop in enumerate(hops):
        hints.append(Hint(QUERY, hop.best.text, hop.best.belief, read))
        read = tuple(dict.fromkeys((*read, *hop.quoted)))
        if hop.answers:
            later = fold(" ".join(one.best.text for one in hops[at + 1 :]))
            went_on = [one for one in hop.answers if fold(one[0]) in later]
            answer, _ = (went_on or hop.answers)[0]  # the one that the way went on with
            _, belief = hop.answers[0]  # what support was fitted to: how sure the reading was
            kind = LAST_ANSWER if at >= last else SUB_ANSWER
            hints.append(Hint(kind, f"{hop.best.text} {answer}", round(belief, 3), read))
    return tuple(hints)
