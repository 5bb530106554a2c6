"""The graph as a retriever: the edges that lead to the likeliest answers, as passages.

Not here: the answer itself (pipeline/graph_answer.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pilotfish.step import Step, run
from pilotfish.types import Case, Passage
from retrievers.graph.held import Graphs
from retrievers.graph.reader import Found
from store import triples

PATHS = 3  # answers whose edges are given


@dataclass(frozen=True, slots=True)
class Graph:
    """Puts up to k edges into the case, those of the best answer first.

    `tree`: what adds the surroundings of an entity after them (tree.py).
    """

    graphs: Graphs
    k: int = 10
    tree: Step | None = None
    name: str = "graph"

    def __call__(self, case: Case, /) -> Case:
        found = self.graphs(case.question.text, case.question.scope.topic)
        if not found and self.tree is None:
            return replace(case, passages=(), notes={"why": "the question names nothing of it"})
        scores: dict[int, float] = {}
        for one in found[:PATHS]:
            for edge in one.edges:
                scores.setdefault(edge, one.support)
        best = list(scores)[: self.k]
        with self.graphs.database.read() as connection:
            passages = triples.fetch(connection, best)
        kept = tuple(_scored(passages[edge], scores[edge]) for edge in best if edge in passages)
        case = replace(case, notes={"paths": [told(one) for one in found[:PATHS]]})
        return replace(case, passages=kept) if self.tree is None else self._with_tree(case, kept)

    def _with_tree(self, case: Case, kept: tuple[Passage, ...]) -> Case:
        assert self.tree is not None
        around = run(self.tree, replace(case, passages=(), notes={}))
        known = {passage.id for passage in kept}
        more = tuple(one for one in around.passages if one.id not in known)
        return replace(case, passages=(*kept, *more), trace=around.trace)


def told(found: Found) -> str:
    """A path for people: topic → relation → relation, and how likely it is."""
    return f"{' → '.join((found.topic, *found.path))}: {found.chance:.2f}"


def _scored(passage: Passage, score: float) -> Passage:
    return replace(passage, score=score)
