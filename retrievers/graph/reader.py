"""Answers a question from a graph: link, score paths, walk the best, gather what carries it.

The invoke, linearise, decide loop of StructGPT (arXiv 2305.09645) without an LLM: the steps that
leave the topic are what may be invoked, the scorer decides. The chance of an answer is the chance
of all paths that give it. Not here: the answer's text and citations (pipeline/graph_answer.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrievers.graph import zero
from retrievers.graph.calibrate import Curve
from retrievers.graph.features import Embed, Vectors, features, masked
from retrievers.graph.link import Mention, Names
from retrievers.graph.memory import Graph, Ints
from retrievers.graph.paths import HOPS, Walked, labels, proposed, walk
from retrievers.graph.scorer import Scorer

TRIED = 8  # paths that are walked
TOPICS = 4  # entities of a raw question that are tried
SHARP = 1.2  # how sure the zero-shot score may be: measured, of its surest it is right more often
UNSAID, SAID = 0.45, 0.65  # likeness of a relation's name to a piece of the question: no, yes
_COUNT = re.compile(r"^\s*(how many|what (is|was) the (total )?number of|count)\b", re.I)


@dataclass(frozen=True, slots=True)
class Found:
    """One possible answer: `values` best first, `chance` of the path, `support` if calibrated.

    `edges`: database ids of edges that lead to the first values. `counted`: the values were many
    and the answer is how many.
    """

    topic: str
    path: tuple[str, ...]
    values: tuple[str, ...]
    chance: float
    edges: tuple[int, ...]
    support: float
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class GraphReader:
    """`scorer`: fitted to this graph, or None: zero-shot. `curve`: what its chances are worth."""

    graph: Graph
    names: Names
    embed: Embed
    scorer: Scorer | None = None
    curve: Curve | None = None
    most: int = 50  # edges that are given as evidence

    def __call__(self, question: str, topic: str | None = None) -> list[Found]:
        """Possible answers, best first; none where the question names nothing of the graph."""
        tops = self._topics(question, topic)
        scored = [one for top in tops for one in self._answers(question, top)]
        return sorted(scored, key=lambda one: -one.support)

    def _topics(self, question: str, topic: str | None) -> list[Mention]:
        if topic is not None:
            entity = self.names.topic(topic)
            return [] if entity is None else [Mention(entity, 0, 0, 1.0)]
        found = self.names.mentions(question)
        if not found:
            found = self.names.meant(question, self._near)
        return found[:TOPICS]

    def _near(self, question: str, names: Sequence[str]) -> Vectors:
        made: Vectors = self.embed(names) @ self.embed([question])[0]
        return made

    def _answers(self, question: str, top: Mention) -> list[Found]:
        text = self._masked(question, top)
        paths = proposed(self.graph, top.entity, self.scorer.hops if self.scorer else HOPS)
        if not paths:
            return []
        scores = self.scores(text, [labels(self.graph, path) for path in paths])
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        merged: dict[tuple[int, ...], Found] = {}
        for at in np.argsort(-chances)[:TRIED]:
            walked = walk(self.graph, top.entity, paths[int(at)])
            if walked is None:
                continue
            one = self._found(question, top, walked, float(chances[at]))
            key = tuple(walked.found.tolist())
            known = merged.get(key)
            merged[key] = replace(known, chance=known.chance + one.chance) if known else one
        return [
            replace(
                one, support=round(self._support(one.chance, top) * self._said(text, one, top), 4)
            )
            for one in merged.values()
        ]

    def _said(self, text: str, found: Found, top: Mention) -> float:
        """How far the question speaks of each relation of the path, 0 to 1.

        A question that merely names something of the graph is likely about something else. Where
        the caller names the topic, or labelled questions taught what is asked, it is not.
        """
        if self.scorer is not None or top.end == top.start:
            return 1.0
        weakest = float(zero.figures(text, [found.path], self.embed)[0][zero.WEAKEST])
        return min(1.0, max(0.0, (weakest - UNSAID) / (SAID - UNSAID)))

    def _masked(self, question: str, top: Mention) -> str:
        if top.end > top.start:
            return f"{question[: top.start]}@{question[top.end :]}"
        return masked(question, self.graph.names[top.entity])

    def scores(self, text: str, paths: Sequence[tuple[str, ...]]) -> Vectors:
        """A score for each path of a masked question."""
        unfitted = zero.scores(text, paths, self.embed)
        if self.scorer is None:
            return SHARP * unfitted
        return self.scorer(features([text], self.embed)[0], paths, unfitted)

    def _support(self, chance: float, top: Mention) -> float:
        """P(the first value is right), as far as is known."""
        worth = self.curve(chance) if self.curve else chance
        return round(min(1.0, top.score) * worth, 4)

    def _found(self, question: str, top: Mention, walked: Walked, chance: float) -> Found:
        values = ranked(self.graph, walked)
        names = [self.graph.names[one] for one in values]
        counted = None
        if _COUNT.search(question) and not (len(names) == 1 and _is_number(names[0])):
            counted = len(names)
        edges = evidence(self.graph, walked, values, self.most)
        path = labels(self.graph, walked.path)
        return Found(self.graph.names[top.entity], path, tuple(names), chance, edges, 0.0, counted)


def ranked(graph: Graph, walked: Walked) -> list[int]:
    """The entities found, those that more edges of the last step lead to first.

    The topic comes last: people ask for others ("who directed the films that she wrote").
    """
    _, ends, _ = graph.between(walked.frontiers[-2], walked.path[-1])
    kept = ends[np.isin(ends, walked.found)]
    entities, counts = np.unique(kept, return_counts=True)
    own = entities == walked.frontiers[0][0]
    order = np.lexsort((entities, -counts, own))
    return [int(entities[at]) for at in order]


def evidence(graph: Graph, walked: Walked, values: Sequence[int], most: int) -> tuple[int, ...]:
    """Edges that lead from the topic to the values, one way to each, the first values first."""
    needed: Ints = np.array(values[:most], dtype=np.int64)
    layers: list[list[int]] = []
    for at in range(len(walked.path) - 1, -1, -1):
        starts, ends, edges = graph.between(walked.frontiers[at], walked.path[at])
        first: dict[int, tuple[int, int]] = {}
        for start, end, edge in zip(starts.tolist(), ends.tolist(), edges.tolist(), strict=True):
            first.setdefault(end, (start, edge))
        ways = [first[one] for one in needed.tolist() if one in first]
        layers.append([edge for _, edge in ways])
        needed = np.array(list(dict.fromkeys(start for start, _ in ways)), dtype=np.int64)
    ordered = [edge for layer in reversed(layers) for edge in layer]
    return tuple(dict.fromkeys(ordered))[:most]


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[-+]?[\d.,]+", text))
