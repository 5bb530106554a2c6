"""Four combinators, each a Step: Chain, Route, Cascade, Loop.

The router picks where to start; the verifier, inside the cascade, decides whether to climb.
After FrugalGPT (arXiv 2305.05176) and AutoMix (arXiv 2310.12963). Not here: what a tier does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pilotfish.errors import BudgetExceeded, ModelError
from pilotfish.step import Step, run, step_name
from pilotfish.types import Answer, Case, Hint

Accept = Callable[[Case], bool]
Hardness = Callable[[Case], float]


@dataclass(frozen=True, slots=True)
class Chain:
    """Runs its steps one after the other."""

    steps: tuple[Step, ...]
    name: str = "chain"

    def __call__(self, case: Case, /) -> Case:
        for step in self.steps:
            case = run(step, case)
        return case


@dataclass(frozen=True, slots=True)
class Route:
    """Runs `strong` when `hardness(case)` reaches the threshold, else `cheap`."""

    hardness: Hardness
    cheap: Step
    strong: Step
    threshold: float = 0.5
    name: str = "route"

    def __call__(self, case: Case, /) -> Case:
        hardness = self.hardness(case)
        chosen = self.strong if hardness >= self.threshold else self.cheap
        notes = {"hardness": round(hardness, 4), "chose": step_name(chosen)}
        return replace(run(chosen, case), notes=notes)


@dataclass(frozen=True, slots=True)
class Cascade:
    """Tries tiers in turn, checks each answer, stops at the first that is accepted.

    When none is, the best-supported answer stays; one that was given stays also when a later
    tier fails or the budget refuses it. Without one that error is raised: nobody may call it an
    abstention when the tier that was to look could not. A tier after it that looks makes it good.
    `abstain_over_budget`: what a budget refuses is left to the cheaper tiers, also to abstain.
    Hints of a tier that quote passages go on: what was said with them goes when those go.
    """

    tiers: tuple[Step, ...]
    check: Step
    accept: Accept
    name: str = "cascade"
    abstain_over_budget: bool = False

    def __call__(self, case: Case, /) -> Case:
        best: Answer | None = None
        tried: list[str] = []
        quoting: dict[Hint, None] = {}
        failure: ModelError | BudgetExceeded | None = None
        for tier in self.tiers:
            tried.append(step_name(tier))
            try:
                done = run(self.check, run(tier, replace(case, answer=None)))
            except (ModelError, BudgetExceeded) as error:
                case = replace(case, trace=error.trace)
                if isinstance(error, BudgetExceeded):
                    failure = None if self.abstain_over_budget and best else error
                    best = best and replace(best, degraded=True)
                    break
                failure = error
                continue
            quoting |= {h: None for h in done.hints if h.read and h not in case.hints}
            case = replace(case, trace=done.trace)
            best = better(best, done.answer)
            failure = failure if done.answer is None else None
            if best is done.answer and self.accept(done):
                break
        if failure is not None and (best is None or best.abstained):
            failure.trace = case.trace
            raise failure
        notes = {"tiers": tried, "chose": best.model if best else "nothing"}
        return replace(case, answer=best, hints=(*case.hints, *quoting), notes=notes)


@dataclass(frozen=True, slots=True)
class Loop:
    """Runs `step` until `until(case)` holds, at most `at_most` times."""

    step: Step
    until: Accept
    at_most: int = 2
    name: str = "loop"

    def __call__(self, case: Case, /) -> Case:
        turns = 0
        while turns < self.at_most and not self.until(case):
            case = run(self.step, case)
            turns += 1
        return replace(case, notes={"turns": turns})


def better(old: Answer | None, new: Answer | None) -> Answer | None:
    """The answer that was given rather than withheld, then the better supported; new on a tie."""
    if old is None or new is None:
        return new or old
    return new if _worth(new) >= _worth(old) else old


def _worth(answer: Answer) -> tuple[bool, float]:
    return (not answer.abstained, -1.0 if answer.support is None else answer.support)
