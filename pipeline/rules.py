"""Rules that choose among systems: Always, Mix, Router, Frugal, AutoMix, Meta, Weighed.

Router: RouteLLM, Hybrid LLM (arXiv 2406.18665, 2404.14618), for any number of systems as in
RouterBench (2403.12031). Frugal: FrugalGPT's thresholds on a stop score (2305.05176). AutoMix:
one or two thresholds on a verifier's score (2310.12963). Weighed: climbs while what a
later system is expected to add is worth its cost. A rule sees a View and gives what it picks and
calls. Not here: fitting them (thresholds.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.logistic import Matrix
from pipeline.view import Chain, Mask, View


@dataclass(frozen=True, slots=True)
class Picks:
    """`chosen`: a system a prompt (n,); `called`: which were paid for on the way (n, K)."""

    chosen: NDArray[np.intp]
    called: Mask


class Rule(Protocol):
    kind: ClassVar[str]

    def __call__(self, view: View, /) -> Picks: ...


@dataclass(frozen=True, slots=True)
class Always:
    """One system for every prompt."""

    system: int
    kind: ClassVar[str] = "always"

    def __call__(self, view: View, /) -> Picks:
        preference = np.zeros(view.offered.shape)
        preference[:, self.system] = 1.0
        return _one_call(view, preference)


@dataclass(frozen=True, slots=True)
class Mix:
    """The stronger of two for a share of the prompts, drawn by their text's hash."""

    cheap: int
    strong: int
    share: float
    kind: ClassVar[str] = "mix"

    def __call__(self, view: View, /) -> Picks:
        preference = np.zeros(view.offered.shape)
        preference[:, self.cheap] = 0.5
        preference[:, self.strong] = np.where(view.luck < self.share, 1.0, 0.2)
        return _one_call(view, preference)


@dataclass(frozen=True, slots=True)
class Router:
    """By the prompt alone: the highest P(right) less `price` x mean cost."""

    price: float
    kind: ClassVar[str] = "router"

    def __call__(self, view: View, /) -> Picks:
        return _one_call(view, view.wins - self.price * view.mean_cost)


@dataclass(frozen=True, slots=True)
class Frugal:
    """Calls one after the other; stops where the stop score reaches that stage's threshold."""

    chain: Chain
    thresholds: tuple[float, ...]
    kind: ClassVar[str] = "frugal"

    def __call__(self, view: View, /) -> Picks:
        return walked(view, self.chain, lambda prefix, _: (
            view.after(prefix, prefix[-1]) >= self.thresholds[len(prefix) - 1]
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class AutoMix:
    """Climbs where low <= the verifier's score < high: below low it is taken to be hopeless."""

    chain: Chain
    low: float
    high: float
    kind: ClassVar[str] = "automix"

    def __call__(self, view: View, /) -> Picks:
        def stays(prefix: Chain, _: Chain) -> Mask:
            score = view.support(prefix[-1])
            return (score < self.low) | (score >= self.high)

        return walked(view, self.chain, stays)


@dataclass(frozen=True, slots=True)
class Meta:
    """AutoMix's meta-verifier as a table: climbs in those bins of the verifier's score that gain.

    edges: inner borders of the bins; climbs: 1 or 0 for each of the len(edges) + 1 bins.
    """

    chain: Chain
    edges: tuple[float, ...]
    climbs: tuple[float, ...]
    kind: ClassVar[str] = "meta"

    def __call__(self, view: View, /) -> Picks:
        def stays(prefix: Chain, _: Chain) -> Mask:
            place = np.searchsorted(self.edges, view.support(prefix[-1]), side="right")
            return np.asarray(self.climbs)[place] < 0.5

        return walked(view, self.chain, stays)


@dataclass(frozen=True, slots=True)
class Weighed:
    """Climbs while P(a later one is right) - P(this is right), both having read the answers so far,
    is over `price` x what it costs to get there. Hopeless prompts do not climb either.
    """

    chain: Chain
    price: float
    kind: ClassVar[str] = "weighed"

    def __call__(self, view: View, /) -> Picks:
        return walked(view, self.chain, lambda prefix, rest: (
            worth(view, prefix, rest) <= self.price
        ))  # fmt: skip


def worth(view: View, prefix: Chain, rest: Chain) -> Matrix:
    """The most that climbing to one of `rest` is expected to add for each unit of cost: (n,).

    What lies between is paid too. A far system counts: the way to it is cheap information.
    """
    own = view.after(prefix, prefix[-1])
    costs = np.maximum(np.cumsum(view.mean_cost[list(rest)]), 1e-12)
    added = [(view.after(prefix, k) - own) / cost for k, cost in zip(rest, costs, strict=True)]
    return np.asarray(np.max(added, axis=0))


def walked(view: View, chain: Chain, stays: Callable[[Chain, Chain], Mask]) -> Picks:
    """Calls the chain's systems in turn until a prompt stays; skips what is not offered."""
    chosen = np.full(len(view.offered), -1, np.intp)
    called = np.zeros(view.offered.shape, bool)
    active = np.ones(len(chosen), bool)
    for place, system in enumerate(chain):
        reached = active & view.offered[:, system]
        chosen[reached], called[reached, system] = system, True
        if place + 1 < len(chain) and active.any():
            active &= ~(reached & stays(chain[: place + 1], chain[place + 1 :]))
    lost = chosen < 0  # none of the chain is offered
    if lost.any():
        other = _one_call(view, view.wins)
        chosen[lost], called[lost] = other.chosen[lost], other.called[lost]
    return Picks(chosen, called)


def _one_call(view: View, preference: Matrix) -> Picks:
    """The most preferred of what is offered, called alone; the cheapest on a tie."""
    chosen = np.argmax(np.where(view.offered, preference, -np.inf), axis=1)
    called = np.zeros(view.offered.shape, bool)
    called[np.arange(len(chosen)), chosen] = True
    return Picks(chosen, called)


KINDS: dict[str, type[Any]] = {
    one.kind: one for one in (Always, Mix, Router, Frugal, AutoMix, Meta, Weighed)
}
_COLUMNS = {"system", "cheap", "strong", "chain"}


def shown(rule: Any, systems: tuple[str, ...]) -> dict[str, Any]:
    """As JSON, systems by name, numbers short."""
    fields = {name: _named(name, value, systems) for name, value in asdict(rule).items()}
    return {"kind": rule.kind, **fields}


def _named(name: str, value: Any, systems: tuple[str, ...]) -> Any:
    if isinstance(value, tuple):
        return [_named(name, one, systems) for one in value]
    return systems[value] if name in _COLUMNS else float(f"{value:.6g}")


def read(fields: dict[str, Any], systems: tuple[str, ...]) -> Rule:
    """From JSON; ValueError when there is no such rule, or it names a system that is not there."""
    kind = fields.get("kind")
    if kind not in KINDS:
        raise ValueError(f"no rule {str(kind)[:40]!r}")
    try:
        values = {name: _read(name, value, systems) for name, value in fields.items()
                  if name != "kind"}  # fmt: skip
        rule: Rule = KINDS[kind](**values)
    except TypeError as error:
        raise ValueError(f"rule {kind} is broken ({error})") from None
    return rule


def _read(name: str, value: Any, systems: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return tuple(_read(name, one, systems) for one in value)
    if name in _COLUMNS:
        return systems.index(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is no number")
    return float(value)
