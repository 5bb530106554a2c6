"""KnowledGPT's three functions over several graphs at once (arXiv 2308.11761).

Entities and relations are given as lists of aliases, since nobody knows what a graph calls them;
the best cosine or word match over the aliases decides, and all that fits about as well is kept, not
one alone. Nothing here raises for what is not found: the result is empty and its message says why.
What no graph has is looked for in the texts of the personal knowledge base (aspects.py). Not here:
finding entities (entities.py), plans (plan.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pilotfish.types import Passage
from retrievers.choose import likeness
from retrievers.graph.features import Embed
from retrievers.graph.memory import INVERSE, Graph, Ints
from retrievers.graph.zero import phrase
from retrievers.kb.entities import Base, Link, linked
from retrievers.kb.related import direct, through
from retrievers.kb.results import VALUES, Aliases, PlanFailed, Result, asked, fitting, joined

LEAST, BESIDE = 0.45, 0.1  # likeness of a relation, and how much less than the best is kept
BACKWARDS = 0.15  # less, where an alias does not say that the relation is read backwards
ENTITIES, FACTS, EACH = 20, 40, 8  # told of: entities, edges of one, edges of one relation

About = Callable[[str], Sequence[Passage]]  # an entity's name -> passages that mention it
# (an entity's name, names of an aspect) -> passages that say it
AspectOf = Callable[[str, Sequence[str]], Sequence[Passage]]
Given = Sequence[str] | Result | Aliases


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Several graphs. `about`: text that mentions an entity, `aspect`: text that says something of
    it that no graph does; None: none is looked for.
    """

    bases: tuple[Base, ...]
    embed: Embed
    about: About | None = None
    aspect: AspectOf | None = None

    def get_entity_info(self, aliases: Given) -> Result:
        """The entities' own edges, and the passages that mention them."""
        given = asked(aliases)
        links = linked(self.bases, given)[:ENTITIES]
        ways: dict[str, tuple[int, ...]] = {}
        lines: dict[str, None] = {}
        for link in links:
            name = self._name(link)
            facts = list(_facts(self.bases[link.base].graph, link.entity))
            lines |= dict.fromkeys(line for _, line in facts)
            before = given.known.get(link.alias, ())
            edges = (*before, *(edge for edge, _ in facts))
            ways[name] = tuple(dict.fromkeys((*ways.get(name, ()), *edges)))
        about = [p for name in ways for p in (self.about(name) if self.about else ())]
        told = f"{len(lines)} facts of {_some(ways)}" if ways else _unknown(given)
        passages = tuple({passage.id: passage for passage in about}.values())
        return Result("info", ways, told, _sure(links), tuple(lines), passages)

    def find_entity_or_value(self, entity_aliases: Given, relation_aliases: Given) -> Result:
        """What the entities' edges of these relations lead to, the most often found first.

        Where no graph has that, the texts that say it, without values. PlanFailed where that is
        more than VALUES values.
        """
        given, relations = asked(entity_aliases), asked(relation_aliases).every
        links = linked(self.bases, given)
        if not links:
            return self._texts(given.every, relations, _unknown(given))
        fronts = {at: _front(links, at) for at in {link.base for link in links}}
        labels = {n for at, front in fronts.items() for n in _leaving(self.bases[at].graph, front)}
        scores = related(relations, sorted(labels), self.embed)
        if not scores:
            names = list(dict.fromkeys(self._name(one) for one in links))
            told = f"{_some(names)} has no relation like {_some(relations)}"
            return self._texts(names[:ENTITIES], relations, told)
        ways: dict[str, tuple[int, ...]] = {}
        for at, front in fronts.items():
            for value, edges in self._ends(at, front, scores, (links, given)):
                ways[value] = joined(ways.get(value, ()), edges)
        fitting(ways)
        told = f"{len(ways)} values by {_some(scores)} from {_some([self._name(o) for o in links])}"
        return Result("entities", ways, told, min(_sure(links), max(scores.values())))

    def find_relationship(self, entity1_aliases: Given, entity2_aliases: Given) -> Result:
        """The relations from the first entities to the second; by one between where none is."""
        one, two = asked(entity1_aliases), asked(entity2_aliases)
        firsts, seconds = linked(self.bases, one), linked(self.bases, two)
        for links, given in ((firsts, one), (seconds, two)):
            if not links:
                return Result("relations", {}, _unknown(given), 0.0)
        ways: dict[str, tuple[int, ...]] = {}
        before = joined(*one.known.values(), *two.known.values())
        for search in (direct, through):
            for at, base in enumerate(self.bases):
                front, back = _front(firsts, at), _front(seconds, at)
                for label, edges in search(base.graph, front, back):
                    ways[label] = joined(ways.get(label, ()), edges, before)
            if ways:
                break
        ends = f"{self._name(firsts[0])} and {self._name(seconds[0])}"
        told = f"{_some(ways) if ways else 'nothing'} between {ends}"
        return Result("relations", ways, told, min(_sure(firsts), _sure(seconds)))

    def _texts(self, names: Sequence[str], aspects: Sequence[str], told: str) -> Result:
        """Nothing, and why; with the texts that say the aspect of an entity, where there are."""
        found = [p for name in names for p in (self.aspect(name, aspects) if self.aspect else ())]
        passages = tuple({passage.id: passage for passage in found}.values())
        more = f"; {len(passages)} texts speak of it" if passages else ""
        return Result("entities", {}, told + more, 0.0, passages=passages)

    def _name(self, link: Link) -> str:
        return self.bases[link.base].graph.names[link.entity]

    def _ends(
        self, at: int, front: Ints, scores: dict[str, float], asked_by: tuple[list[Link], Aliases]
    ) -> list[tuple[str, tuple[int, ...]]]:
        """(value, edges that lead to it) of one base, those of many edges first."""
        graph, (links, given) = self.bases[at].graph, asked_by
        before = {link.entity: given.known.get(link.alias, ()) for link in links if link.base == at}
        found: list[tuple[int, str, tuple[int, ...]]] = []
        for step in (step for step in range(graph.steps) if graph.label(step) in scores):
            starts, ends, ids = graph.between(front, step)
            distinct, first, counts = np.unique(ends, return_index=True, return_counts=True)
            if distinct.size > VALUES:
                told = f"{graph.label(step)!r} gives {distinct.size:,} values, over {VALUES:,}"
                raise PlanFailed("plan_too_large", f"{told}: begin at fewer entities")
            for end, row, many in zip(distinct, first, counts, strict=True):
                edges = (*before.get(int(starts[row]), ()), int(ids[row]))
                found.append((int(many), graph.names[int(end)], edges))
        return [(value, edges) for _, value, edges in sorted(found, key=lambda one: -one[0])]


def related(aliases: Sequence[str], labels: Sequence[str], embed: Embed) -> dict[str, float]:
    """The labels that the aliases may mean and how like (0 to 1) the best alias is, best first.

    An alias ending in " [inverse]" means relations read backwards, another one rather not.
    """
    if not aliases or not labels:
        return {}
    spoken = [phrase(alias) or alias for alias in aliases]
    alike = likeness(spoken, labels, embed)
    marked = np.array([alias.strip().endswith(INVERSE.strip()) for alias in aliases])
    backwards = np.array([label.endswith(INVERSE) for label in labels])
    alike[np.ix_(marked, ~backwards)] = 0.0
    alike[np.ix_(~marked, backwards)] -= BACKWARDS
    best = alike.max(axis=0)
    least = max(LEAST, float(best.max()) - BESIDE)
    kept = [int(at) for at in np.argsort(-best, kind="stable") if best[at] >= least]
    return {labels[at]: round(float(best[at]), 4) for at in kept}


def _front(links: Sequence[Link], base: int) -> Ints:
    return np.unique(np.array([one.entity for one in links if one.base == base], dtype=np.int64))


def _leaving(graph: Graph, front: Ints) -> set[str]:
    """The labels of all steps that leave any of these entities."""
    if front.size < 64:
        steps = {int(step) for entity in front for step in graph.leaving(int(entity))}
    else:
        steps = set(graph.has[np.isin(graph.has[:, 0], front), 1].tolist())
    return {graph.label(step) for step in steps}


def _facts(graph: Graph, entity: int) -> Iterator[tuple[int, str]]:
    """(edge, its line) of an entity, a few of every relation, FACTS at most."""
    left = FACTS
    for step in graph.leaving(entity).tolist():
        starts, ends, ids = graph.between(np.array([entity]), step)
        for at in range(min(EACH, left, ids.size)):
            subject, other = (ends[at], starts[at]) if step & 1 else (starts[at], ends[at])
            edge = (graph.names[int(subject)], graph.relations[step >> 1], graph.names[int(other)])
            left -= 1
            yield int(ids[at]), " — ".join(edge)


def _sure(links: Sequence[Link]) -> float:
    return max((link.score for link in links), default=0.0)


def _some(names: Iterable[str]) -> str:
    """Names in a message that stays one short line."""
    told = list(dict.fromkeys(names))
    more = f" and {len(told) - 3} more" if len(told) > 3 else ""
    return ", ".join(repr(name[:60]) for name in told[:3]) + more


def _unknown(given: Aliases) -> str:
    return f"no graph has an entity {_some(given.every) or 'without a name'}"
