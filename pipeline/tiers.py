"""Which tiers may answer a question: by `effort`, by a policy's hardness, by `max_calls`.

effort 0: no LLM; 1: the strongest alone; between: the cheapest ceil(effort x tiers), and with a
policy the hardest share of effort^k of the questions starts k tiers up. Without effort the policy's
own rule picks the start (RouteLLM, arXiv 2406.18665); from there the verifier decides whether
to climb. `max_calls` beats both. Not here: the cascade (flow.py), learning (policy_fit.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from pilotfish.errors import InputError, SettingsError
from pilotfish.step import Step, run, step_name
from pilotfish.types import Case, Limits
from pipeline.choosing import choose
from pipeline.flow import Cascade, Route
from pipeline.hardness import gain
from pipeline.policy import Policy
from pipeline.recorded import Row, Tried
from pipeline.stop import Embed

Build = Callable[[tuple[Step, ...], bool], Cascade]  # of these tiers; is an LLM among them?


@dataclass(frozen=True, slots=True)
class Plan:
    """starts: of each LLM tier, how hard (0 to 1) a question must be to start there or above.

    last: one past the highest tier that may be climbed to; a start above it may be called alone.
    calls: LLM tiers tried at most.
    """

    extract: bool
    starts: tuple[float, ...]
    last: int
    calls: int
    why: str


@dataclass(frozen=True, slots=True)
class Tiers:
    """Runs a cascade over extract and the LLMs that this question may use.

    models: the LLMs' names, as the policy knows them. Without effort and policy all tiers climb.
    """

    extract: tuple[Step, ...]
    llms: tuple[Step, ...]
    build: Build
    models: tuple[str, ...] = ()
    policy: Policy | None = None
    embed: Embed | None = None
    name: str = "cascade"

    def __call__(self, case: Case, /) -> Case:
        limits = case.question.limits
        if limits.effort is None and (self.policy is None or len(self.llms) < 2):
            return self.build((*self.extract, *self.llms), bool(self.llms))(case)
        hard, notes = self._hardness(case)
        made = plan(limits, len(self.llms), by_hardness=bool(notes))
        done = run(self._routes(made, hard), case)
        notes |= {"why": made.why, "effort": limits.effort}
        return replace(done, notes={k: v for k, v in notes.items() if v is not None})

    def _hardness(self, case: Case) -> tuple[float, dict[str, object]]:
        """(0 to 1, why), by the policy; nothing to say without one."""
        if self.policy is None or self.embed is None or len(self.llms) < 2:
            return 0.0, {}
        names = self.models
        check_names(self.policy, names)
        text = case.question.text
        row = Row(0, case.question.id, text, {name: Tried(name) for name in names})
        choice = choose(self.policy, [row], self.embed, lambda pairs: [0.0] * len(pairs))[0]
        if case.question.limits.effort is None:
            place = names.index(choice.choice)
            return _step(place, len(names)), {"start": choice.choice, "because": choice.because}
        wins = self.policy.hardness.wins([text], self.embed([text]).astype("float64"))
        hard = self.policy.quantile(float(gain(wins)[0]))
        return hard, {"hardness": round(hard, 4), "because": choice.because}

    def _routes(self, made: Plan, hard: float) -> Step:
        """A Route for each tier that may be started at, the strongest asked first."""
        step: Step = self._from(0, made)
        for place in range(1, len(made.starts)):
            strong = self._from(place, made)
            step = Route(lambda _: hard, step, strong, made.starts[place])
        return step

    def _from(self, place: int, made: Plan) -> Cascade:
        last = max(made.last, place + 1)
        llms = self.llms[place:last][: made.calls] if made.last else ()
        first = self.extract if made.extract or not llms else ()
        name = f"from {step_name(llms[0])}" if llms else "extract alone"
        return replace(self.build((*first, *llms), bool(llms)), name=name)


def plan(limits: Limits, tiers: int, by_hardness: bool) -> Plan:
    """What effort and max_calls leave of this many LLM tiers; InputError: no such effort."""
    effort, calls = checked(limits.effort), limits.max_calls
    if not tiers or calls < 1 or effort == 0:
        why = "no LLM is configured" if not tiers else f"max_calls is {calls}"
        return Plan(True, (0.0,), 0, 0, "effort 0: no LLM" if effort == 0 else why)
    if effort == 1:
        starts = (0.0,) * tiers
        return Plan(False, starts, tiers, calls, "effort 1: the strongest tier alone")
    if effort is None:
        starts = tuple(_step(k, tiers) for k in range(tiers))
        return Plan(True, starts, tiers, calls, "the policy picks the tier to start at")
    last = math.ceil(effort * tiers)
    starts = tuple(1 - effort**k for k in range(tiers)) if by_hardness else (0.0,)
    return Plan(True, starts, last, calls, f"effort {effort:g}: {last} of {tiers} LLM tiers")


def checked(effort: float | None) -> float | None:
    """The effort; InputError when it is not from 0 to 1."""
    if effort is not None and not 0 <= effort <= 1:
        raise InputError(f"effort {effort:g} is not from 0 to 1: 0 is no LLM, 1 the strongest")
    return effort


def check_names(policy: Policy, models: tuple[str, ...]) -> None:
    """SettingsError when a configured model is none of the policy's systems."""
    unknown = [name for name in models if name not in policy.systems]
    if unknown:
        raise SettingsError(
            f"the policy knows {', '.join(policy.systems)}, not the configured {unknown[0]}: "
            "tune it on rows whose systems are the configured models"
        )


def _step(place: int, tiers: int) -> float:
    """The hardness at which this tier's turn comes, when tiers share it evenly."""
    return place / tiers
