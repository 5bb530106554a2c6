"""A plan that a model wrote, interpreted over the collection's graph; its edges become passages.

Not here: the interpreter (plan.py), the prompt (prompters/plan.py), the answer
(pipeline/plan_tier.py).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pilotfish.step import Step, run
from pilotfish.types import Case, Passage, Question, Scope
from retrievers.choose import LEAST
from retrievers.graph.held import Graphs
from retrievers.kb.aspects import names
from retrievers.kb.describe import described, spoken
from retrievers.kb.entities import Base
from retrievers.kb.functions import Knowledge
from retrievers.kb.plan import interpreted, parsed
from retrievers.kb.results import PlanFailed, Result
from store import triples

# (an entity's name, where) and (its name, names of an aspect, where) -> passages
AboutIn = Callable[[str, str | None], Sequence[Passage]]
AspectIn = Callable[[str, Sequence[str], str | None], Sequence[Passage]]
CITED = 50  # edges of one plan that become passages
ABOUT = 3  # passages that mention one entity
_REMEMBERED = 8  # plans


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan gave: a result, or one line that says what was wrong with it."""

    plan: str
    result: Result | None = None
    problem: str = ""


class Plans:
    """Interprets plans over the graphs of one database; shared by threads.

    `about`: passages that mention an entity, `aspect`: those that say what no graph says of it;
    None: edges alone.
    """

    def __init__(
        self, graphs: Sequence[Graphs], about: AboutIn | None = None,
        aspect: AspectIn | None = None,
    ) -> None:  # fmt: skip
        self.graphs, self.about, self.aspect = tuple(graphs), about, aspect
        self._done: OrderedDict[tuple[tuple[int, ...], str, str | None], tuple[Knowledge, Planned]]
        self._done = OrderedDict()
        self._mutex = threading.Lock()

    def knowledge(self, where: str | None = None) -> Knowledge | None:
        """The graphs as they are now; None while none has any edge. where: of texts."""
        readings = [(one, reading) for one in self.graphs if (reading := one.reading())]
        bases = tuple(
            Base(one.name, reading.reader.graph, reading.reader.names) for one, reading in readings
        )
        if not bases:
            return None
        about, aspect = self.about, self.aspect
        return Knowledge(
            bases, readings[0][1].reader.embed,
            (lambda name: about(name, where)) if about else None,
            (lambda name, aspects: aspect(name, aspects, where)) if aspect else None,
        )  # fmt: skip

    def describe(self, case: Case) -> str | None:
        """The graphs' relations that a question may mean; None without graphs."""
        knowledge = self.knowledge()
        return None if knowledge is None else described(case.question, knowledge)

    def speaks(self, case: Case) -> bool:
        """Whether a question speaks of any relation of the graphs."""
        knowledge = self.knowledge()
        return knowledge is not None and any(
            one.score >= LEAST for one in spoken(case.question, knowledge)
        )

    def run(self, text: str, where: str | None = None) -> Planned:
        """What a plan gives now; never raises for what a model wrote. where: of texts."""
        knowledge = self.knowledge(where)
        if knowledge is None:
            return Planned(text, problem="there is no graph to ask")
        key = (tuple(id(base.graph) for base in knowledge.bases), text, where)
        with self._mutex:
            if key in self._done:
                return self._done[key][1]
        try:
            made = Planned(text, interpreted(parsed(text), knowledge))
        except PlanFailed as error:
            made = Planned(text, problem=str(error))
        with self._mutex:
            self._done[key] = knowledge, made  # holds the graphs, so that no other has their id
            while len(self._done) > _REMEMBERED:
                self._done.popitem(last=False)
        return made

    def edges(self, result: Result) -> tuple[Passage, ...]:
        """The edges under a result that still stand, as passages, at most CITED."""
        with self.graphs[0].database.read() as connection:
            return tuple(triples.fetch(connection, result.edges[:CITED]).values())


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Interprets the last `plan` hint; puts the edges under its result before the passages."""

    plans: Plans
    name: str = "run plan"

    def __call__(self, case: Case, /) -> Case:
        plan = next((hint.text for hint in reversed(case.hints) if hint.kind == "plan"), None)
        if plan is None:
            return replace(case, notes={"why": "no plan was written"})
        made = self.plans.run(plan, case.question.scope.where)
        if made.result is None:
            return replace(case, notes={"plan": plan, "problem": made.problem})
        found = (*self.plans.edges(made.result), *made.result.passages)
        read = {passage.id for passage in found}
        others = tuple(passage for passage in case.passages if passage.id not in read)
        notes = {"plan": plan, "said": made.result.message, "values": len(made.result.values)}
        return replace(case, passages=(*found, *others), notes=notes)


@dataclass(frozen=True, slots=True)
class Mentions:
    """Passages of text that mention an entity, by a retriever: all of its name stands in them."""

    find: Step

    def __call__(self, name: str, where: str | None = None) -> tuple[Passage, ...]:
        asked = Case(Question(name, scope=Scope(kind="text", where=where)))
        return tuple(p for p in run(self.find, asked).passages if names(p.text, name))[:ABOUT]
