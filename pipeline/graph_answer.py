"""Answers from the graph, without an LLM: the values where the best path ends, its edges cited.

Not here: which path it is (retrievers/graph/), whether its edges still stand
(verifiers/recheck.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pilotfish.types import UNCALIBRATED, Answer, Basis, Case, Citation, Passage, Triple
from retrievers.graph.held import Graphs
from retrievers.graph.reader import Found
from retrievers.graph.retrieve import told
from store import triples
from store.incoming import BETWEEN

MODEL = "graph"
SAID = 20  # values that the answer's text names
CITED = 50  # edges that it cites


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """Puts the graph's answer into the case; leaves it as it is where the graph says nothing."""

    graphs: Graphs
    name: str = MODEL

    def __call__(self, case: Case, /) -> Case:
        scope = case.question.scope
        if scope.table is not None or scope.kind not in (None, "triple"):
            return case
        found = self.graphs(case.question.text, scope.topic)
        reading = self.graphs.reading()
        if not found or reading is None:
            return case
        best = found[0]
        with self.graphs.database.read() as connection:
            edges = triples.fetch(connection, best.edges[:CITED])
        if scope.topic is None and any(read_out(edge) for edge in edges.values()):
            why = "edges read out of prose answer only where the caller names their topic"
            return replace(case, notes={"path": told(best), "why": why})
        answer = _answer(best, list(edges.values()), reading.where or UNCALIBRATED)
        notes = {"path": told(best), "values": len(best.values), "tried": len(found)}
        return replace(case, answer=answer, notes=notes)


def _answer(found: Found, edges: list[Passage], where: str) -> Answer:
    text = said(found)
    citations = tuple(cited(edge, len(text), found.support) for edge in edges)
    values = found.values if found.counted is None else (str(found.counted),)
    basis = Basis(found.chance, {"path": " → ".join(found.path)}, MODEL, where)
    return Answer(text, values, MODEL, citations, found.support, basis=basis)


def read_out(edge: Passage) -> bool:
    """Whether the edge was read out of a sentence, and not stated by a file.

    Of 120 raw questions of two hops such edges answered half wrongly, where hops over the same
    texts erred in one of fifteen (benchmarks/structured/prose.py).
    """
    return edge.text != BETWEEN.join(edge.place.triple or ())


def said(found: Found) -> str:
    """The values in a line, or how many there are."""
    if found.counted is not None:
        return str(found.counted)
    return listed(found.values)


def listed(values: Sequence[str], between: str = ", ") -> str:
    """The first SAID values in a line, and how many more there are."""
    more = len(values) - SAID
    return between.join(values[:SAID]) + (f" and {more} more" if more > 0 else "")


def cited(edge: Passage, end: int, support: float) -> Citation:
    """The edge as what carries the first `end` characters of an answer."""
    subject, relation, other = edge.place.triple or ("", "", "")
    source = Triple(edge.document, subject, relation, other)
    return Citation((0, end), source, support, edge.id)
