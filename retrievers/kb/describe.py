"""What an LLM is shown of graphs: a few dozen names of relations, those likeliest to be meant.

The small model ranks them by the question, those that leave its entities first among equals. No
edge and no document's text is shown: names only, cut and quoted. Not here: the prompt's words
(prompters/plan.py).
"""

from __future__ import annotations

import json

import numpy as np

from pilotfish.types import Question
from retrievers.choose import Choice, ranked
from retrievers.graph.features import masked
from retrievers.graph.memory import INVERSE, Graph
from retrievers.kb.entities import Base
from retrievers.kb.functions import Knowledge

SHOWN = 36  # relations
RANKED = 2_000  # relations that are compared with a question, those of the most edges
LONGEST = 60  # characters of a name
BESIDE = 0.2  # more, for a relation of an entity that the question names


def described(question: Question, knowledge: Knowledge) -> str | None:
    """Lines of quoted relation names, and the topic; None where no graph knows the topic."""
    entities = [(base, _entities(question, base)) for base in knowledge.bases]
    topic = question.scope.topic
    if topic is not None and not any(found for _, found in entities):
        return None
    near = {
        base.graph.label(int(step)).removesuffix(INVERSE)
        for base, found in entities
        for one in found
        for step in base.graph.leaving(one)
    }
    best = sorted(
        spoken(question, knowledge),
        key=lambda one: -(one.score + BESIDE * (one.name in near)),
    )
    lines = ["Relations: " + ", ".join(_shown(one.name) for one in best[:SHOWN])]
    if topic is not None:
        lines.append(f"The question is about: {_shown(topic)}")
    return "\n".join(lines)


def spoken(question: Question, knowledge: Knowledge) -> list[Choice]:
    """The graphs' relations by how much the question, without its entities, speaks of them."""
    names = [name for base in knowledge.bases for name in _relations(base.graph)]
    text = masked(question.text, question.scope.topic) if question.scope.topic else question.text
    for base in knowledge.bases if not question.scope.topic else ():
        for mention in sorted(base.names.mentions(text), key=lambda one: -one.start):
            text = f"{text[: mention.start]}@{text[mention.end :]}"
    return ranked(text, list(dict.fromkeys(names)), knowledge.embed)


def _entities(question: Question, base: Base) -> list[int]:
    if question.scope.topic is not None:
        found = base.names.topic(question.scope.topic)
        return [] if found is None else [found]
    return [mention.entity for mention in base.names.mentions(question.text)]


def _relations(graph: Graph) -> list[str]:
    sizes = [-graph.halves[2 * at].starts.size for at in range(len(graph.relations))]
    return [graph.relations[int(at)] for at in np.argsort(sizes, kind="stable")[:RANKED]]


def _shown(name: str) -> str:
    """Quoted as JSON, on one line, cut."""
    return json.dumps(" ".join(name.split())[:LONGEST], ensure_ascii=False)
