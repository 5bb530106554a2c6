"""The graph of a collection, read once and again when its edges change; shared by threads.

Not here: reading questions (reader.py), the edges themselves (store/triples.py).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retrievers.graph import tune
from retrievers.graph.features import Embed
from retrievers.graph.link import names_of
from retrievers.graph.memory import graph_of
from retrievers.graph.reader import Found, GraphReader
from store import collections, triples, tuned
from store.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

NAME = "graph"  # under which its scorer is kept
_REMEMBERED = 512  # questions


@dataclass(frozen=True, slots=True)
class Reading:
    """A reader, and what its figures rest on; `where` is empty while nothing was fitted here."""

    reader: GraphReader
    mark: triples.Mark
    where: str
    fitted: float


class Graphs:
    """`reading()` is None while the collection has no edges."""

    def __init__(self, database: Database, name: str, embed: Embed) -> None:
        self.database, self.name, self.embed = database, name, embed
        self._held: Reading | None = None
        self._seen: tuple[int, triples.Mark] | None = None  # revision, and what it holds
        self._reading = threading.Lock()
        self._answers: OrderedDict[tuple[str, str | None], list[Found]] = OrderedDict()

    def __call__(self, question: str, topic: str | None = None) -> list[Found]:
        """Possible answers, best first; the retriever and the answering tier share them."""
        reading = self.reading()
        if reading is None:
            return []
        key = (question, topic)
        with self._reading:
            if key in self._answers and self._held is reading:
                self._answers.move_to_end(key)
                return self._answers[key]
        found = reading.reader(question, topic)
        with self._reading:
            if self._held is not reading:  # read anew meanwhile: its answers are not these
                return found
            self._answers[key] = found
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return found

    def reading(self) -> Reading | None:
        """The graph as it is now."""
        with self.database.read() as connection:
            collection = collections.find(connection, self.name)
            mark = self._mark(connection, collection.id, collection.revision)
            fitted = tuned.made(connection, collection.id, NAME)
        held = self._held
        if not mark.count:
            return None
        if held and held.mark == mark and held.fitted == fitted:
            return held
        with self._reading:
            held = self._held
            if held is None or held.mark != mark or held.fitted != fitted:
                self._held = held = self._read(collection.id, mark, held)
                self._answers.clear()
        return held

    def _mark(self, connection: Connection, collection_id: int, revision: int) -> triples.Mark:
        """Counting a million edges takes 20 ms: once a revision."""
        if self._seen is None or self._seen[0] != revision:
            self._seen = revision, triples.mark(connection, collection_id)
        return self._seen[1]

    def _read(self, collection_id: int, mark: triples.Mark, held: Reading | None) -> Reading:
        with self.database.read() as connection:
            known = tuned.of(connection, collection_id, NAME)
            if held and held.mark == mark:
                reader = held.reader
            else:
                graph = graph_of(triples.every(connection, collection_id))
                reader = GraphReader(graph, names_of(graph), self.embed)
        if known is None:
            return Reading(replace(reader, scorer=None, curve=None), mark, "", 0.0)
        scorer, curve = tune.unpacked(known.body)
        reader = replace(reader, scorer=scorer, curve=curve)
        return Reading(reader, mark, known.where, known.created)
