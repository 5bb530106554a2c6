"""The extractive tier of multi-hop questions: the last hop's span, or two values compared.

Each hop that the answer rests on is read and judged as a question of its own, and its sentence is
cited. Support is a logistic over the hops' own supports (hop_support.json, fitted by
benchmarks/prompting/fit_hops.py). Silent where no hops were taken, and where the form is one that
reading cannot answer (word problems). Not here: searching (hops.py), comparing (comparing.py).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pilotfish.step import Step, run
from pilotfish.text import fold, words
from pilotfish.types import Answer, Case, Citation, Passage
from pipeline.comparing import compared
from pipeline.hops import FORM, LAST_ANSWER, QUERY, SUB_ANSWER, Reads
from prompters.decompose import (
    BRIDGE,
    BRIDGE_COMPARISON,
    COMPARISON,
    INTERSECTION,
    KIN,
)
from prompters.decomposition.forms import differing
from retrievers.titled import match, named_first
from verifiers.reread import HOPS
from verifiers.weights import logit

WEIGHTS = Path(__file__).with_name("hop_support.json")
LAST = frozenset({BRIDGE, KIN, "llm"})  # the last hop's answer is the question's


@dataclass(frozen=True, slots=True)
class Told:
    """What hops say: text, the judged answers of the hops that it rests on, how it came about.

    `before`: the hops whose answers stand in the questions of these; cited too.
    """

    text: str
    hops: tuple[Answer, ...]
    how: str
    before: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class HopAnswer:
    """`judged`: extracts an answer and judges it (Extract, Support, Cite); `read`: candidates."""

    judged: Step
    read: Reads
    name: str = HOPS

    def __call__(self, case: Case, /) -> Case:
        forms = [hint.text for hint in case.hints if hint.kind == FORM]
        asked = [hint.text for hint in case.hints if hint.kind == QUERY]
        if not forms or len(asked) < 2:
            return case
        told, case = self._told(case, forms[0], asked)
        if told is not None and told.text:
            told, case = self._grounded(case, told, asked)
        if told is None or not told.text:
            return replace(case, answer=Answer("", model=HOPS, abstained=True),
                           notes={"why": "the hops do not tell"})  # fmt: skip
        seen = features(case, told, forms[0])
        text = told.text
        cites = tuple(
            replace(one, sentence=(0, len(text)))
            for hop in (*told.hops, *told.before)
            for one in hop.citations
        )
        answer = Answer(text, (text,), HOPS, _distinct(cites), round(chance(seen), 4))
        notes = {"how": told.how, "features": {name: round(v, 3) for name, v in seen.items()}}
        return replace(case, answer=answer, notes=notes)

    def _told(self, case: Case, form: str, asked: Sequence[str]) -> tuple[Told | None, Case]:
        if form in LAST:
            found, case = self._hop(case, asked[-1])
            return (Told(found.text, (found,), "last hop") if found else None), case
        if form in {COMPARISON, BRIDGE_COMPARISON}:
            return self._compared(case, asked)
        if form == INTERSECTION:
            return self._shared(case, asked)
        return None, case

    def _grounded(self, case: Case, told: Told, asked: Sequence[str]) -> tuple[Told, Case]:
        """With the earlier hops whose own answer stands in a later question: they carry it too."""
        before: list[Answer] = []
        for at, text in enumerate(asked[:-1]):
            found, case = self._hop(case, text)
            later = f" {_plain(' '.join(asked[at + 1 :]))} "
            if found is None or found in told.hops or not _plain(found.text):
                continue
            if f" {_plain(found.text)} " in later:
                before.append(found)
        return replace(told, before=tuple(before)), case

    def _compared(self, case: Case, asked: Sequence[str]) -> tuple[Told | None, Case]:
        one, case = self._hop(case, asked[-2])
        other, case = self._hop(case, asked[-1])
        if one is None or other is None:
            return None, case
        things = differing(*asked[:2])
        outcome = compared(case.question.text, things, [one.text, other.text])
        if outcome is None:
            return None, case
        return Told(outcome.text, (one, other), f"{outcome.how}: {one.text} | {other.text}"), case

    def _shared(self, case: Case, asked: Sequence[str]) -> tuple[Told | None, Case]:
        """What both questions have for an answer, told as the first of them has it."""
        read = [
            {fold(one.text): one.share for one in self.read(text, _about(text, case.passages))}
            for text in asked[:2]
        ]
        both = {text: share * read[1][text] for text, share in read[0].items() if text in read[1]}
        if not both:
            return None, case
        wanted = max(both, key=both.__getitem__)
        found, case = self._hop(case, asked[0])
        other, case = self._hop(case, asked[1])
        if found is None or fold(found.text) != wanted:
            return None, case
        agreeing = other is not None and fold(other.text) == wanted
        sides = (found, other) if agreeing and other is not None else (found,)
        return Told(found.text, sides, "both"), case

    def _hop(self, case: Case, asked: str) -> tuple[Answer | None, Case]:
        """The judged answer of one sub-question, over what its passages are."""
        question = replace(case.question, text=asked)
        child = replace(case, question=question, passages=_about(asked, case.passages),
                        hints=(), answer=None)  # fmt: skip
        done = run(self.judged, child)
        case = replace(case, trace=done.trace)
        answer = done.answer
        return (answer if answer and answer.text and answer.citations else None), case


def _plain(text: str) -> str:
    return " ".join(words(text))


def _about(asked: str, passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Passages whose title the sub-question names; where it names none, all, as they are."""
    texts = [passage for passage in passages if passage.kind in {"text", "manual"}]
    named = [p for p in named_first(asked, texts) if match(asked, p.title)]
    return tuple(named or texts)


def _distinct(cites: Sequence[Citation]) -> tuple[Citation, ...]:
    return tuple({(repr(one.source)): one for one in cites}.values())


def features(case: Case, told: Told, form: str) -> dict[str, float]:
    """What P(right) of a composed answer is judged by."""
    supports = [hop.support or 0.0 for hop in told.hops]
    answers = {SUB_ANSWER, LAST_ANSWER}
    beliefs = [hint.score for hint in case.hints if hint.kind in answers]
    taken = [hint.score for hint in case.hints if hint.kind == QUERY]
    return {
        "weakest": logit(min(supports)),
        "all": logit(math.prod(supports)),
        "read": logit(min(beliefs, default=0.5)),
        "belief": math.prod(taken),
        "compares": float(form in {COMPARISON, BRIDGE_COMPARISON}),
        "long way": float(len(taken) > 2),
        "polar": float(told.how.startswith("same")),
        "words": min(8, len(told.text.split())) / 4,
    }


def chance(seen: dict[str, float]) -> float:
    """P(right)."""
    own = _weights()
    total = own["one"] + sum(own.get(name, 0.0) * value for name, value in seen.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@cache
def _weights() -> dict[str, float]:
    return dict(json.loads(WEIGHTS.read_text(encoding="utf-8"))["weights"])
