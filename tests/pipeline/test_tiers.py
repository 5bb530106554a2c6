"""Which tiers a question may use: effort, policy, max_calls; the steps only say who they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from pilotfish.errors import BudgetExceeded, InputError, SettingsError
from pilotfish.step import Step, run
from pilotfish.types import Answer, Case, Limits, Question
from pipeline.flow import Cascade
from pipeline.hardness import fit_hardness, gain
from pipeline.policy import Encoded, Policy
from pipeline.rules import Always, Router, Rule
from pipeline.tiers import Tiers, plan

MODELS = ("a/small", "a/middle", "a/large")


def tier(name: str, support: float = 0.1) -> Step:
    def step(case: Case) -> Case:
        return replace(case, answer=Answer(name, model=name, support=support))

    step.__name__ = name
    return step


def nothing(case: Case) -> Case:
    return case


def build(tiers: tuple[Step, ...], asks: bool) -> Cascade:
    bar = 0.8 if asks else 0.05
    return Cascade(
        tiers, nothing, lambda case: bool(case.answer and (case.answer.support or 0) >= bar)
    )


def embed(texts: Sequence[str]) -> np.ndarray:
    return np.array([[1.0, 0.0] if "hard" in text else [0.0, 1.0] for text in texts], np.float32)


def learned(rule: Rule | None = None) -> Policy:
    prompts = [f"{'hard' if n % 2 else 'easy'} thing {n}" for n in range(200)]
    right = np.array([[0.0 if n % 2 else 1.0, 0.5, 1.0] for n in range(200)])
    vectors = embed(prompts).astype(float)
    hardness = fit_hardness(MODELS, prompts, vectors, right)
    quantiles = np.quantile(gain(hardness.wins(prompts, vectors)), np.linspace(0, 1, 21))
    costs, goes = np.array([1.0, 3.0, 9.0]), rule or Router(0.04)
    return Policy(MODELS, costs, right.mean(axis=0), goes, goes, hardness, {},
                  Encoded("toy", "f"), quantiles, {})  # fmt: skip


def tried(
    limits: Limits, policy: Policy | None = None, text: str = "easy one", count: int = 3
) -> list[str]:
    """The tiers that ran, in order."""
    llms = tuple(tier(name.partition("/")[2]) for name in MODELS[:count])
    step = Tiers((tier("extract"),), llms, build, MODELS[:count], policy, embed)
    case = run(step, Case(Question(text, limits=limits)))
    names = {"extract", *(name.partition("/")[2] for name in MODELS)}
    return [event.step for event in case.trace if event.step in names]


ALL = Limits(max_calls=3)


def test_without_effort_and_policy_every_tier_may_be_climbed_to() -> None:
    assert tried(ALL) == ["extract", "small", "middle", "large"]


@pytest.mark.parametrize(
    ("effort", "expected"),
    [(0.0, ["extract"]), (0.2, ["extract", "small"]), (0.5, ["extract", "small", "middle"]),
     (0.9, ["extract", "small", "middle", "large"]), (1.0, ["large"])],
)  # fmt: skip
def test_effort_alone_says_how_many_tiers_may_be_used(effort: float, expected: list[str]) -> None:
    assert tried(replace(ALL, effort=effort)) == expected


@pytest.mark.parametrize("effort", [0.0, 0.5, 1.0, None])
def test_max_calls_of_none_leaves_extract_alone(effort: float | None) -> None:
    policy = learned() if effort is None else None
    assert tried(Limits(effort=effort, max_calls=0), policy) == ["extract"]


def test_max_calls_beats_effort() -> None:
    assert tried(Limits(effort=0.9, max_calls=1)) == ["extract", "small"]
    assert tried(Limits(effort=1.0, max_calls=1)) == ["large"]


def test_a_policy_starts_the_hard_ones_high_and_the_easy_ones_low() -> None:
    assert tried(ALL, learned()) == ["extract", "small", "middle", "large"]
    assert tried(ALL, learned(), "hard one") == ["extract", "large"]
    assert tried(ALL, learned(Always(1)), "hard one") == ["extract", "middle", "large"]


def test_between_the_hardest_share_starts_higher() -> None:
    assert tried(replace(ALL, effort=0.6), learned(), "hard one")[:2] != ["extract", "small"]
    assert tried(replace(ALL, effort=0.3), learned(), "easy one") == ["extract", "small"]


def test_without_an_llm_any_effort_extracts() -> None:
    for effort in (0.0, 0.5, 1.0):
        assert tried(Limits(effort=effort), count=0) == ["extract"]


def test_extract_alone_is_held_to_the_bar_of_no_llm() -> None:
    step = Tiers((tier("extract", 0.1),), (tier("small"),), build, MODELS[:1])
    case = run(step, Case(Question("q", limits=Limits(effort=0.0))))
    assert case.answer and case.answer.text == "extract"


def test_the_trace_says_why() -> None:
    llms = tuple(tier(n.partition("/")[2]) for n in MODELS)
    step = Tiers((tier("extract"),), llms, build, MODELS, learned(), embed)
    notes = run(step, Case(Question("hard one", limits=ALL))).trace[-1].detail
    assert notes["start"] == "a/large" and "P(right) by the prompt" in str(notes["because"])
    assert notes["why"] == "the policy picks the tier to start at"
    weighed = Case(Question("hard one", limits=replace(ALL, effort=0.5)))
    notes = run(step, weighed).trace[-1].detail
    assert notes["effort"] == 0.5 and 0 <= float(str(notes["hardness"])) <= 1


def test_each_choice_between_tiers_is_a_route_in_the_trace() -> None:
    llms = tuple(tier(n.partition("/")[2]) for n in MODELS)
    step = Tiers((tier("extract"),), llms, build, MODELS, learned(), embed)
    case = run(step, Case(Question("hard one", limits=ALL)))
    assert [e.detail["chose"] for e in case.trace if e.step == "route"] == ["from large"]


@pytest.mark.parametrize("effort", [-0.1, 1.1, float("nan")])
def test_an_effort_that_is_none_is_refused_in_one_line(effort: float) -> None:
    with pytest.raises(InputError, match=r"effort .* is not from 0 to 1"):
        plan(Limits(effort=effort), 2, by_hardness=False)


def test_models_that_the_policy_does_not_know_are_a_matter_of_settings() -> None:
    step = Tiers(
        (tier("extract"),), (tier("x"), tier("y")), build, ("b/x", "b/y"), learned(), embed
    )
    with pytest.raises(SettingsError, match="not the configured b/x"):
        run(step, Case(Question("q", limits=ALL)))


def test_the_money_of_tiers_that_failed_stays_in_the_trace() -> None:
    def refuses(case: Case) -> Case:
        raise BudgetExceeded("no money")

    step = Tiers((refuses,), (), build)
    with pytest.raises(BudgetExceeded) as caught:
        run(step, Case(Question("q", limits=Limits(effort=0.5))))
    assert "refuses" in [event.step for event in caught.value.trace]
