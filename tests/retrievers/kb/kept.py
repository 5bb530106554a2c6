"""Plans over the family graph, whose edges come from a list instead of the database."""

from __future__ import annotations

from pilotfish.types import Passage, Place
from retrievers.graph.link import names_of
from retrievers.kb.entities import Base
from retrievers.kb.functions import Knowledge
from retrievers.kb.results import Result
from retrievers.kb.run_plan import Plans
from store.triples import passage_id
from tests.retrievers.graph.family import EDGES, family, words_apart

GRAPH = family()
KNOWN = Knowledge((Base("family", GRAPH, names_of(GRAPH)),), words_apart)


class Kept(Plans):
    """Always the same graph."""

    def knowledge(self, where: str | None = None) -> Knowledge | None:
        return KNOWN

    def edges(self, result: Result) -> tuple[Passage, ...]:
        return tuple(edge(one) for one in result.edges)


def edge(number: int) -> Passage:
    """The passage of an edge; ids count from 1."""
    place = Place(triple=EDGES[number - 1])
    line = " — ".join(EDGES[number - 1])
    return Passage(passage_id(number), line, "f.tsv", 0, len(line), place, "triple")
