"""Sends a question to the sources that may answer it: text, tables, the graph; says why.

What the caller names is obeyed: a topic is looked for in the graph, a table in that table, a kind
in passages of that kind. Else text is always searched, and what the collection has beside it.
Structured evidence comes after the text, since its own tiers read it. Not here: the sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pilotfish.errors import InputError
from pilotfish.step import Step, run
from pilotfish.types import Case, Passage, Scope


@dataclass(frozen=True, slots=True)
class Sources:
    """`others`: kind -> retriever; those of a collection without such things find nothing."""

    text: Step
    others: Mapping[str, Step]
    name: str = "sources"

    def __call__(self, case: Case, /) -> Case:
        chosen, why = self._chosen(case.question.scope)
        found: list[Passage] = []
        for kind in chosen:
            step = self.text if kind == "text" else self.others[kind]
            done = run(step, replace(case, passages=()))
            case = replace(case, trace=done.trace)
            found += done.passages
        distinct = {passage.id: passage for passage in reversed(found)}
        kept = tuple(distinct[i] for i in dict.fromkeys(passage.id for passage in found))
        return replace(case, passages=kept, notes={"sources": list(chosen), "why": why})

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
            raise InputError(f"no source of kind {kind!r}: there are {', '.join(self.kinds)}")
        return (kind,)

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("text", *self.others)
