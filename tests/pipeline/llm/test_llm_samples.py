"""Samples of one prompt: each is its own row of the ledger, paid once and replayed after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pilotfish.step import run
from pilotfish.types import Answer, Case, Citation, Span
from pipeline.llm import LLM
from tests.pipeline.llm.calling import Caller, ask
from verifiers.entropy import Entropy
from verifiers.selfcheck import SelfCheck

TEXT = "Goods may be returned within 30 days."


def nli(premise: str, hypothesis: str) -> tuple[float, float, float]:
    return (1.0, 0.0, 0.0) if "30 days" in premise else (0.0, 1.0, 0.0)


def given(**limits: object) -> Case:
    cited = (Citation((0, len(TEXT)), Span("returns.md", 0, 8, "30 days."), 0.9, 1),)
    return replace(ask(**limits), answer=Answer(TEXT, model="openai/test-model", citations=cited))


def sampler(caller: Caller, count: int) -> Callable[[str], tuple[LLM, ...]]:
    return lambda model: tuple(
        caller.llm(model, sample=n + 1, temperature=1.0) for n in range(count)
    )


def test_each_sample_is_paid_once_however_many_checks_draw_it(caller: Caller) -> None:
    samples = sampler(caller, 3)
    done = run(SelfCheck(samples, nli), given(max_calls=4))
    assert len(caller.server.requests) == 3 and len(set(caller.server.per_key)) == 3
    assert caller.states() == ["done"] * 3
    done = run(Entropy(samples, nli), given(max_calls=8))
    assert len(caller.server.requests) == 3  # replayed
    assert done.answer is not None and not done.answer.abstained
    assert done.trace[-1].detail["meanings"] == [0, 0, 0, 0]


def test_samples_beyond_max_calls_are_not_sent_and_the_answer_stays(caller: Caller) -> None:
    done = run(SelfCheck(sampler(caller, 3), nli), given(max_calls=1))
    assert len(caller.server.requests) == 1
    assert done.answer is not None and done.answer.text == TEXT and not done.answer.abstained
    assert done.trace[-1].detail["samples"] == 1


def test_samples_that_say_otherwise_withhold_the_answer(caller: Caller) -> None:
    caller.server.respond = lambda messages: "Goods may be returned within a year [k7f2]."
    done = run(SelfCheck(sampler(caller, 2), nli), given(max_calls=2))
    assert done.answer is not None and done.answer.abstained
    assert done.trace[-1].detail["scores"] == [1.0]
