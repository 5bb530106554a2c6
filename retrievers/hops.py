"""Reads a graph hop after hop: relations are offered, a few chosen, their edges read, and on.

StructGPT's iterative reading (arXiv 2305.09645) with a small model's choice or an LLM's; its
released code stops after one hop, this does not. What a hop has used of the question is masked, so
that the reading ends when nothing is left to ask. Not here: answering; scoring whole paths, which
is what the graph's own reader does (graph/reader.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrievers.choose import KEPT, LEAST, Choose, ranked
from retrievers.graph.features import Embed, masked
from retrievers.graph.memory import INVERSE
from retrievers.structs import Edge, StructSource, neighbour_relations, triples_of

HOPS = 3
WIDEST = 50  # entities that one hop goes on from


@dataclass(frozen=True, slots=True)
class Hop:
    """What one hop chose, the edges it read and the entities it came to."""

    relations: tuple[str, ...]
    edges: tuple[Edge, ...]
    entities: tuple[str, ...]


def read_hops(
    graph: StructSource, question: str, topic: str, embed: Embed, choose: Choose | None = None
) -> list[Hop]:
    """Up to HOPS hops from the topic; InputError where the graph does not know it.

    `choose`: an LLM's choice (none chosen ends the reading); None: the encoder's.
    """
    hops: list[Hop] = []
    text, before = masked(question, topic), frozenset[str]()
    here: tuple[str, ...] = (topic,)
    while len(hops) < HOPS and here:
        names = dict.fromkeys(n for one in here for n in neighbour_relations(graph, one))
        offered = [name for name in names if _back(name) not in before]
        if choose is not None:
            chosen = [name for name in choose(text, offered) if name in offered]
        else:
            chosen, text = _chosen(text, offered, embed)
        if not chosen:
            break
        hops.append(_hop(graph, here, chosen))
        here, before = hops[-1].entities[:WIDEST], frozenset(chosen)
    return hops


def _chosen(text: str, offered: Sequence[str], embed: Embed) -> tuple[list[str], str]:
    """The relations that the best piece of the question speaks of, and the question without it."""
    found = [one for one in ranked(text, offered, embed)[:KEPT] if one.score >= LEAST]
    if not found:
        return [], text
    piece = found[0].piece
    kept = [one.name for one in found if one.piece == piece]
    words = r"\W+".join(re.escape(word) for word in piece.split())
    return kept, re.sub(rf"\b{words}\b", " ", text, flags=re.I)


def _hop(graph: StructSource, here: Sequence[str], chosen: Sequence[str]) -> Hop:
    edges: dict[int, Edge] = {}
    ends: dict[str, None] = {}
    for entity in here:
        own = neighbour_relations(graph, entity)
        for name in (one for one in chosen if one in own):
            for edge in triples_of(graph, entity, [name]):
                edges.setdefault(edge.id, edge)
                ends[edge.subject if name.endswith(INVERSE) else edge.object] = None
    return Hop(tuple(chosen), tuple(edges.values()), tuple(ends))


def _back(name: str) -> str:
    """The same relation the other way."""
    return name.removesuffix(INVERSE) if name.endswith(INVERSE) else name + INVERSE
