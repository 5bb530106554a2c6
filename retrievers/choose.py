"""The small model's choice: which relations, columns or tables a question speaks of, best first.

StructGPT lets the LLM choose, and 74 % of its mistakes over graphs are wrong relations (arXiv
2305.09645); here names are ranked by the encoder and by shared words, and a few are kept. An LLM
may still choose: any `Choose` will do, its reply is read by `named_in`. Not here: reading
structures (structs.py), paths of several relations at once (graph/zero.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from corpus.tokens import tokens
from retrievers.graph.features import Embed, Vectors
from retrievers.graph.zero import phrase, pieces
from retrievers.linking import link, parts
from retrievers.locked.nouns import Column, Schema, Table
from store.tables import StoredTable

KEPT = 3  # names that are kept of many
LEAST = 0.5  # likeness below which nothing of the question speaks of a name
_SHARED = 0.6  # likeness of names that share one word of many; 1.0 where all words are shared
_SAMPLES = 20  # values of a column that a question is compared with

Choose = Callable[[str, Sequence[str]], Sequence[str]]  # question, names -> those that it means


@dataclass(frozen=True, slots=True)
class Choice:
    """A name, how like it (0 to 1) the best piece of the question is, and that piece."""

    name: str
    score: float
    piece: str


@dataclass(frozen=True, slots=True)
class Preselect:
    """A `Choose` without an LLM: at most `keep` names that the question speaks of."""

    embed: Embed
    keep: int = KEPT
    least: float = LEAST

    def __call__(self, question: str, names: Sequence[str]) -> list[str]:
        ranked_names = ranked(question, names, self.embed)
        return [one.name for one in ranked_names[: self.keep] if one.score >= self.least]


def likeness(said: Sequence[str], names: Sequence[str], embed: Embed) -> Vectors:
    """Cosine of each text with each name in words, more where they share words: (said, names).

    Equal words give 1, and a relation's name counts as it is spoken (`bornIn`: "born in").
    """
    if not said or not names:
        return np.zeros((len(said), len(names)), dtype=np.float32)
    spoken = [phrase(name) or name for name in names]
    alike = np.array(embed(list(said)) @ embed(spoken).T, dtype=np.float32)
    words = [frozenset(tokens(text)) for text in said]
    for column, name in enumerate(spoken):
        own = frozenset(tokens(name))
        for row, other in enumerate(words):
            if own & other:  # the same word is more than a word like it
                share = len(own & other) / len(own | other)
                alike[row, column] = max(alike[row, column], _SHARED + (1 - _SHARED) * share)
            elif said[row].casefold() == name.casefold():
                alike[row, column] = 1.0
    return np.clip(alike, 0.0, 1.0)


def ranked(question: str, names: Sequence[str], embed: Embed) -> list[Choice]:
    """The names by what the best piece of the question says of them; the topic is masked ("@")."""
    said, _ = pieces(question)
    if not said or not names:
        return [Choice(name, 0.0, "") for name in names]
    alike = likeness([piece.text for piece in said], names, embed)
    best = alike.argmax(axis=0)
    found = [
        Choice(name, round(float(alike[row, at]), 4), said[int(row)].text)
        for at, (name, row) in enumerate(zip(names, best, strict=True))
    ]
    return sorted(found, key=lambda one: -one.score)


def columns_for(
    question: str, table: StoredTable, embed: Embed | None = None, keep: float = 0.5
) -> tuple[str, ...]:
    """At most the share `keep` of a table's columns (at least one), in their order."""
    described = tuple(
        Column(name, "TEXT", samples=_samples(table, at)) for at, name in enumerate(table.columns)
    )
    schema = Schema((Table(table.title or table.name, described),))
    linked = link(question, schema, embed, keep, at_least=1)
    return tuple(column for _, column in linked.columns)


def tables_for(
    question: str, schema: Schema, embed: Embed | None = None, keep: int = KEPT
) -> tuple[str, ...]:
    """At most `keep` tables that a question is about, and those on the way between them."""
    linked = link(question, schema, embed, at_least=1)
    asked = set(tokens(question))
    said = {
        table.name: len(parts(table.name) & asked)
        + sum(len(parts(column.name) & asked) for column in table.columns)
        + sum(value.table == table.name for value in linked.values)
        for table in linked.tables
    }
    return tuple(sorted(said, key=lambda name: -said[name])[:keep])


def named_in(reply: str, names: Sequence[str]) -> list[str]:
    """The names that occur anywhere in an LLM's reply, as StructGPT reads its choices."""
    told = reply.casefold()
    return [name for name in names if name.casefold() in told]


def _samples(table: StoredTable, column: int) -> tuple[str, ...]:
    cells = dict.fromkeys(row[column] for row in table.rows if row[column])
    return tuple(cells)[:_SAMPLES]
