"""Which entities of which graphs a list of aliases means: several, where several fit as well.

KnowledGPT (arXiv 2308.11761) asks an LLM to pick one candidate; here names decide: exact, written
otherwise, without brackets, with a typo, within a longer text. Values found before are looked up as
they are. Not here: relations (functions.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrievers.graph.link import Names, plain
from retrievers.graph.memory import Graph
from retrievers.kb.results import Aliases

EXACT, WRITTEN, SHORT, TYPO, WITHIN = 1.0, 0.97, 0.9, 0.75, 0.7  # how sure a way to a name is
BESIDE = 0.12  # how much less than the best may fit and still be kept


@dataclass(frozen=True, slots=True)
class Base:
    """One graph: `name` is told to people. Edge ids of all bases are of one database."""

    name: str
    graph: Graph
    names: Names


@dataclass(frozen=True, slots=True)
class Link:
    """An entity of the base at place `base`, the alias that means it, and how surely (0 to 1)."""

    base: int
    entity: int
    alias: str
    score: float


def linked(bases: Sequence[Base], aliases: Aliases) -> list[Link]:
    """Each entity once, by its best alias, best first; empty where no graph has any."""
    best: dict[tuple[int, int], Link] = {}
    for at, base in enumerate(bases):
        written = [link for alias in aliases.written for link in _named(at, base, alias, True)]
        known = [link for alias in aliases.known for link in _named(at, base, alias, False)]
        for link in (*written, *known):
            held = best.get((link.base, link.entity))
            if held is None or link.score > held.score:
                best[link.base, link.entity] = link
    top = max((link.score for link in best.values()), default=0.0)
    kept = [
        link for link in best.values()
        if link.alias in aliases.known or link.score >= top - BESIDE
    ]  # fmt: skip
    return sorted(kept, key=lambda link: -link.score)


def _named(at: int, base: Base, alias: str, guess: bool) -> Iterator[Link]:
    """The entities of one alias, by the surest way that gives any; `guess`: also unsure ways."""
    names = base.names
    if alias in base.graph.ids:
        yield Link(at, base.graph.ids[alias], alias, EXACT)
        if not guess:
            return
    written = plain(alias)
    for known, score in ((names.exact, WRITTEN), (names.alias, SHORT)):
        if found := known.get(written):
            yield from (Link(at, entity, alias, score) for entity in found)
            return
    if not guess or not written:
        return
    near = names.topic(alias)
    if near is not None:
        yield Link(at, near, alias, TYPO)
        return
    mentions = names.mentions(alias)
    longest = max((m.end - m.start for m in mentions), default=0)
    yield from (Link(at, m.entity, alias, WITHIN) for m in mentions if m.end - m.start == longest)
