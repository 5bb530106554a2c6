"""One more try: only on new evidence, only within the budget, and never for the worse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pilotfish.errors import BudgetExceeded, RetrievalFailed, SettingsError
from pilotfish.step import Step, run
from pilotfish.types import (
    Answer,
    Case,
    Citation,
    Flaw,
    Limits,
    Message,
    Passage,
    Prompt,
    Question,
    Span,
)
from pipeline.flow import Loop
from pipeline.retry import Correct, Retry, Rewriter, closed, correction, settled
from retrievers.further import Further

PASSAGES = tuple(Passage(n, f"Text {n}.", "d", 10 * n, 10 * n + 7) for n in range(1, 9))
CITED = (Citation((0, 4), Span("d", 20, 27, "Text 2."), 0.9, 2),)
POOR = Answer("Poor", model="m", support=0.6, citations=CITED, flaws=(Flaw("contrast", 0, 4),))


@dataclass(frozen=True, slots=True)
class Finds:
    count: int

    def __call__(self, case: Case, /) -> Case:
        return replace(case, passages=PASSAGES[: self.count])


@dataclass(slots=True)
class Answers:
    answer: Answer
    asked: int = 0

    def __call__(self, case: Case, /) -> Case:
        self.asked += 1
        return replace(case, answer=self.answer)


def same(case: Case) -> Case:
    return case


def refused(case: Case) -> Case:
    raise BudgetExceeded("nothing is left")


def lost(case: Case) -> Case:
    raise RetrievalFailed("no retriever succeeded")


def start() -> Case:
    return Case(Question("?"), PASSAGES[:3], prompt=Prompt(()), answer=POOR)


def tried(answer: Step, finds: int = 8, further: Step | None = None) -> Case:
    retry = Retry(further or Further(Finds(finds), 2), same, answer)
    return run(Loop(retry, until=settled, at_most=1), start())


def test_the_next_passages_come_beside_those_that_are_cited() -> None:
    done = run(Further(Finds(8), 2), start())
    assert [passage.id for passage in done.passages] == [2, 4, 5]


def test_a_better_answer_over_new_evidence_replaces_the_poor_one() -> None:
    good = Answer("Good", model="m", support=0.9, citations=CITED)
    done = tried(Answers(good))
    assert done.answer == good and [p.id for p in done.passages] == [2, 4, 5]


def test_a_contradicted_sentence_leaves_an_answer_unsettled() -> None:
    assert not settled(replace(start(), answer=replace(POOR, flaws=(Flaw("contradicted", 0, 4),))))
    assert settled(replace(start(), answer=replace(POOR, flaws=(Flaw("mended", 0, 4),))))


def test_nothing_is_asked_when_no_passage_is_new() -> None:
    asked = Answers(Answer("Good", support=0.9))
    done = tried(asked, finds=3)
    assert asked.asked == 0 and done.answer == POOR and done.passages == start().passages


@pytest.mark.parametrize(
    "worse",
    [
        Answer("Worse", model="m", support=0.2, citations=CITED),
        Answer("", model="m", abstained=True),
        replace(POOR, support=0.7, flaws=(*POOR.flaws, Flaw("unsupported", 0, 4))),
    ],
)
def test_an_answer_that_is_no_better_is_not_taken(worse: Answer) -> None:
    done = tried(Answers(worse))
    assert done.answer == POOR and [p.id for p in done.passages] == [1, 2, 3]


@pytest.mark.parametrize(("step", "further"), [(refused, None), (same, lost)])
def test_a_refusal_or_failure_keeps_the_first_answer_and_is_traced(
    step: Step, further: Step | None
) -> None:
    done = tried(step, further=further)
    assert done.answer is not None and done.answer.text == "Poor" and done.answer.degraded
    assert any(event.error for event in done.trace)


def test_a_settled_answer_is_not_tried_again() -> None:
    asked = Answers(POOR)
    case = replace(start(), answer=replace(POOR, flaws=()))
    run(Loop(Retry(Further(Finds(8), 2), same, asked), until=settled, at_most=1), case)
    assert asked.asked == 0


def test_the_corrector_reads_passages_question_and_draft() -> None:
    asked = Prompt((Message("system", "s"), Message("user", "Passages: P\nQuestion: ?")), {"k": 1})
    prompt = correction(replace(start(), prompt=asked))
    assert prompt.messages[-1].content.endswith("Draft: Poor") and prompt.keys == {"k": 1}
    assert "Passages: P" in prompt.messages[-1].content


def test_a_corrected_draft_is_taken_when_it_is_better_and_the_prompt_stays() -> None:
    good = Answer("Good", model="m", support=0.9, citations=CITED)
    done = run(Correct(Answers(good), same), start())
    assert done.answer == good and done.prompt == start().prompt
    assert done.trace[-1].detail == {"before": "Poor", "after": "Good"}
    assert run(Correct(refused, same), start()).answer == replace(POOR, degraded=True)
    assert run(Correct(Answers(Answer("", abstained=True)), same), start()).answer == POOR


def test_a_local_model_is_given_question_draft_and_texts() -> None:
    def write(question: str, draft: str, texts: list[str]) -> str:
        return f"{question}|{draft}|{len(texts)}"

    done = run(Rewriter(write), start())
    assert done.answer == Answer("?|Poor|3", model="rewriter")


def test_a_corrector_that_is_not_there_is_a_setting_to_mend(tmp_path: Path) -> None:
    from models.seq2seq import Seq2Seq

    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match=r"corrector .* cannot be loaded"):
        Seq2Seq(str(tmp_path / "empty"))("q", "d", [])


@pytest.mark.parametrize(("effort", "asked"), [(0.0, 0), (0.1, 1), (None, 1)])
def test_effort_0_buys_no_second_call_though_nothing_is_settled(
    effort: float | None, asked: int
) -> None:
    case = replace(start(), question=Question("?", limits=Limits(effort=effort)))
    good = Answer("Good", model="m", support=0.9, citations=CITED)
    llm, corrector, local = Answers(good), Answers(good), Answers(good)
    run(Loop(Retry(Further(Finds(8), 2), same, llm), until=closed, at_most=1), case)
    run(Correct(corrector, same), case)
    run(Correct(local, same, hosted=False), case)
    assert (llm.asked, corrector.asked, local.asked) == (asked, asked, 1)
