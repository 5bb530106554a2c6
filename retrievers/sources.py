"""Sends a question to the sources that may answer it: text, tables, the graph; says why.

What the caller names is obeyed: a topic is looked for in the graph, a table in that table, a kind
in passages of that kind. Else all that the collection has is asked, and the router says of each
kind how likely its evidence holds the answer; what is unlikely is left out, the rest stands in the
order of its chances and is scored by them. Not here: the sources, the router (router.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pilotfish.errors import InputError
from pilotfish.step import Step, run
from pilotfish.types import Case, Passage, Scope

LEAST = 0.05
HALF = 10  # the rank at which a passage is worth half of its kind's first


Found = Mapping[str, Sequence[Passage]]  # kind -> its passages, best first
# (question, found) -> kind -> P(it holds the answer)
Route = Callable[[str, Found], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Sources:
    """`others`: kind -> retriever; those of a collection without such things find nothing.

    route: says how likely each kind holds the answer; None: text first, then the others. It is
    asked where anything but text was found. least:
    a kind that is less likely than this is left out, but never the likeliest.
    """

    text: Step
    others: Mapping[str, Step]
    route: Route | None = None
    least: float = LEAST
    name: str = "sources"

    def __call__(self, case: Case, /) -> Case:
        chosen, why = self._chosen(case.question.scope)
        found: dict[str, tuple[Passage, ...]] = {}
        for kind in chosen:
            done = run(self.steps[kind], replace(case, passages=()))
            case = replace(case, trace=done.trace)
            found[kind] = done.passages
        some = [kind for kind in chosen if found[kind]]
        notes: dict[str, object] = {"sources": list(chosen), "why": why}
        if self.route is not None and len(chosen) > 1 and set(some) - {"text"}:
            chances = self.route(case.question.text, found)
            some, left = self._likely(some, chances)
            found = {kind: scaled(found[kind], chances[kind]) for kind in some}
            notes |= {"chances": {kind: round(chances[kind], 3) for kind in some + left},
                      "left out": left}  # fmt: skip
        return replace(case, passages=distinct([p for kind in some for p in found[kind]]),
                       notes=notes)  # fmt: skip

    def _likely(
        self, some: Sequence[str], chances: Mapping[str, float]
    ) -> tuple[list[str], list[str]]:
        """The kinds that stay, likeliest first, and those that are left out."""
        order = sorted(some, key=lambda kind: -chances[kind])
        stay = [kind for n, kind in enumerate(order) if not n or chances[kind] >= self.least]
        return stay, [kind for kind in order if kind not in stay]

    def _chosen(self, scope: Scope) -> tuple[tuple[str, ...], str]:
        """The kinds to look in, and why."""
        if scope.topic is not None:
            return self._only("triple"), "the caller names an entity of the graph"
        if scope.table is not None:
            return self._only("table"), "the caller names a table"
        if scope.kind == "text":
            return ("text",), "the caller asks for text"
        if scope.kind is not None:
            return self._only(scope.kind), f"the caller asks for {scope.kind}"
        return ("text", *self.others), "the caller names none: all that the collection has"

    def _only(self, kind: str) -> tuple[str, ...]:
        if kind not in self.others:
            raise InputError(f"no source of kind {kind!r}: there are {', '.join(self.steps)}")
        return (kind,)

    @property
    def steps(self) -> Mapping[str, Step]:
        """kind -> retriever."""
        return {"text": self.text, **self.others}


def scaled(found: Sequence[Passage], chance: float) -> tuple[Passage, ...]:
    """Scores on one scale for all kinds: P(the kind holds the answer), less with each rank."""
    return tuple(
        replace(one, score=round(chance * HALF / (HALF + rank), 6))
        for rank, one in enumerate(found)
    )


def distinct(found: Sequence[Passage]) -> tuple[Passage, ...]:
    """The first passage of each id, at its first place."""
    first: dict[int, Passage] = {}
    for passage in found:
        first.setdefault(passage.id, passage)
    return tuple(first.values())
