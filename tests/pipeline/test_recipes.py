"""The gate after the checks: an answer that they did not finish with is never given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from pilotfish.settings import Settings
from pilotfish.step import run
from pilotfish.types import Answer, Basis, Case, Citation, Passage, Prompt, Question, Span
from pipeline.parts import Parts
from pipeline.recipes import accept_above, check, gate
from verifiers.evidence import Vectors
from verifiers.trust import Reliance

TEXT = "The pump leaks at the seal."
PASSAGE = Passage(1, TEXT, "a.txt", 0, len(TEXT))
CITED = (Citation((0, len(TEXT)), Span("a.txt", 0, len(TEXT), TEXT)),)


def embed(texts: Sequence[str]) -> Vectors:
    return np.ones((len(texts), 1), dtype=np.float32)


def read(document: str, start: int, end: int) -> str | None:
    return TEXT[start:end]


def broken(*_: object) -> Any:
    raise ZeroDivisionError


def checked(embed: Callable[..., Any] = embed, read: Callable[..., Any] = read) -> Answer:
    """What is left of a right and cited answer after the checks."""
    settings = Settings(abstain_below=0.1)
    parts = SimpleNamespace(
        embed=embed, read=read, settings=settings, judge=None, reliance=Reliance()
    )
    prompt = Prompt((), {"kabcd": 1})
    case = Case(Question("Where does the pump leak?"), (PASSAGE,), prompt=prompt)
    case = replace(case, answer=Answer(TEXT[:-1] + " [kabcd]."))
    answer = run(check(cast(Parts, parts)), case).answer
    assert answer is not None
    return answer


def test_an_answer_that_passes_keeps_its_support_and_citations() -> None:
    answer = checked()
    assert answer.text == TEXT and answer.citations and not answer.abstained
    assert answer.support is not None and not answer.degraded


@pytest.mark.parametrize("how", [{"read": broken}, {"embed": broken}])
def test_a_check_that_breaks_withholds_the_answer(how: dict[str, Any]) -> None:
    answer = checked(**how)
    assert answer.abstained and answer.degraded
    assert answer.support is None and answer.citations == () and "kabcd" not in answer.text


@pytest.mark.parametrize(
    "answer",
    [
        Answer(TEXT, support=0.9),
        Answer(TEXT, citations=CITED),
        Answer(TEXT, citations=CITED, support=0.9, abstained=True),
        Answer(TEXT, citations=CITED, support=0.4),
    ],
)
def test_only_a_given_cited_and_supported_answer_is_accepted(answer: Answer) -> None:
    case = Case(Question("?"), answer=answer)
    assert not accept_above(0.5)(case)
    assert accept_above(0.5)(replace(case, answer=Answer(TEXT, citations=CITED, support=0.5)))


def test_the_gate_leaves_what_was_checked_and_what_abstained_alone() -> None:
    checked = Answer(TEXT, citations=CITED, support=0.9, basis=Basis(0.9))
    for answer in (None, Answer("", abstained=True), checked):
        case = Case(Question("?"), answer=answer)
        assert gate(case) == case


def test_an_answer_that_the_last_judge_did_not_see_is_withheld() -> None:
    answer = gate(Case(Question("?"), answer=Answer(TEXT, citations=CITED, support=0.9))).answer
    assert answer is not None and answer.abstained and answer.text == ""
