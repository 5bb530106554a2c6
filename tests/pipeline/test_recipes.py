"""The gate after the checks: an answer that they did not finish with is never given.

Pruned prompts: the LLM reads less, keys and citations still lead to exact places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from models.pilot.reading import Judge, Pair, Reading
from pilotfish.settings import Settings
from pilotfish.settings_groups import LLMSettings
from pilotfish.step import run
from pilotfish.types import Answer, Basis, Case, Citation, Passage, Prompt, Question, Span
from pipeline.parts import Parts
from pipeline.wiring import accept_above, check, extracts, gate, render
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
        embed=embed, read=read, settings=settings, judge=None, reliance=Reliance(), stands=None
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


LONG = (
    "The house was built in 1901. The pump leaks at the seal. Its walls are of brick. Ropes lie in "
    "the cellar and boats in the yard. The pump was bought in Bergen. Nobody paints the doors."
)
WHOLE = (
    Passage(7, LONG, "a.txt", 10, 10 + len(LONG)),
    Passage(8, "Seals live in the sea.", "b", 0, 22),
)


def parts_with(share: float) -> Parts:
    settings = Settings(abstain_below=0.0, llm=LLMSettings(prune=share))

    def slice_of(document: str, start: int, end: int) -> str:
        return LONG[start - 10 : end - 10] if document == "a.txt" else WHOLE[1].text[start:end]

    made = SimpleNamespace(
        settings=settings, secret=b"s", count=lambda some: [len(text.split()) for text in some],
        judge=None, embed=embed, read=slice_of, reliance=Reliance(), stands=None,
    )  # fmt: skip
    return cast(Parts, made)


def shown(share: float) -> Case:
    return run(render(parts_with(share)), Case(Question("Where does the pump leak?"), WHOLE))


def prompt_of(case: Case) -> str:
    assert case.prompt is not None
    return case.prompt.messages[-1].content


def test_a_pruned_prompt_holds_the_sentences_that_matter_and_is_shorter() -> None:
    whole, short = prompt_of(shown(1.0)), prompt_of(shown(0.3))
    assert "The pump leaks at the seal." in short and LONG in whole
    assert "Ropes lie" not in short and len(short.split()) < 0.6 * len(whole.split())


def test_the_case_keeps_whole_passages_and_the_trace_tells_what_was_dropped() -> None:
    done = shown(0.3)
    assert done.passages == WHOLE
    detail = next(event.detail for event in done.trace if event.step == "prune")
    assert 0 < int(str(detail["dropped"])) < int(str(detail["tokens"]))
    assert not [event for event in shown(1.0).trace if event.step == "prune"]


def test_pieces_of_one_passage_stand_under_one_key_with_a_gap_between_them() -> None:
    done = shown(0.35)
    assert done.prompt is not None
    (key,) = [key for key, passage in done.prompt.keys.items() if passage == 7]
    assert f"[{key}] The pump leaks at the seal. … The pump was bought in Bergen. [/{key}]" in (
        prompt_of(done)
    )


def test_an_answer_to_a_pruned_prompt_is_cited_by_its_exact_place() -> None:
    done = shown(0.3)
    assert done.prompt is not None
    key = next(key for key, passage in done.prompt.keys.items() if passage == 7)
    said = replace(done, answer=Answer(f"The pump leaks at the seal [{key}].", model="m"))
    answer = run(check(parts_with(0.3)), said).answer
    assert answer is not None and answer.text == "The pump leaks at the seal."
    (citation,) = answer.citations
    assert isinstance(citation.source, Span) and citation.passage == 7
    at = 10 + LONG.index("The pump leaks")
    assert (citation.source.start, citation.source.end) == (at, at + len(TEXT))
    assert citation.source.quote == TEXT


def reads(height: float) -> Judge:
    """A cross-encoder that finds "the seal" in every passage, as sure as `height`."""

    def model(pairs: Sequence[Pair]) -> list[Reading]:
        at = TEXT.index("the seal")
        span = (at, at + len("the seal"), height)
        return [Reading(height, 0.9, 0.05, 0.05, (span,), 0.0) for _ in pairs]

    return model


def extracted(height: float, max_error: float | None = None) -> list[str]:
    """The extractive tiers' answers in turn."""
    reliance = Reliance(max_error=max_error)
    parts = SimpleNamespace(embed=embed, judge=reads(height), reliance=reliance)
    case = Case(Question("Where does the pump leak?"), (PASSAGE,))
    answers = [run(tier, case).answer for tier in extracts(cast(Parts, parts))]
    return [f"{one.model}: {one.text}" for one in answers if one]


def test_where_the_span_is_not_accepted_its_sentence_comes_next() -> None:
    assert extracted(9.0) == ["extract: the seal", f"sentence: {TEXT}"]


def test_under_a_promise_there_are_only_short_answers() -> None:
    assert extracted(9.0, max_error=0.1) == ["extract: the seal"]


def test_without_a_cross_encoder_the_sentence_is_the_only_extract() -> None:
    parts = SimpleNamespace(embed=embed, judge=None, reliance=Reliance())
    (only,) = extracts(cast(Parts, parts))
    assert only.name == "extract" and only.model is None
