"""A collection's tables as questions see them: read once, solved once, shared by threads.

Not here: finding tables (retrieve.py), solving (retrievers/tableqa/).
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from corpus.tokens import tokens
from retrievers.tableqa.frame import Frame
from retrievers.tableqa.solver import Judged, Ranked, Solver
from retrievers.tableqa.weights import Weights
from store import collections, tables, tuned
from store.database import Database
from store.tables import Place, StoredTable

NAME = "tables"  # under which fitted weights are kept
_TABLES, _ANSWERS, _WORDS = 256, 512, 4096


@dataclass(frozen=True, slots=True)
class Laid:
    """A stored table and its typed cells. `passages`: row number (None: its card) -> passage id."""

    table: StoredTable
    frame: Frame
    passages: dict[int | None, int]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a table: of its headers, of all of it, its cells whole, those side by side."""

    headers: frozenset[str]
    every: frozenset[str]
    cells: frozenset[tuple[str, ...]]
    pairs: frozenset[tuple[str, str]]
    rows: int


class Tables:
    """Every table of one collection, at the revision it is now."""

    def __init__(self, database: Database, name: str) -> None:
        self.database, self.name = database, name
        self._mutex = threading.Lock()
        self._revision = -1
        self._count = 0
        self._laid: OrderedDict[tuple[str, str | None], Laid | None] = OrderedDict()
        self._done: OrderedDict[tuple[str, Place, str], Any] = OrderedDict()
        self._words: OrderedDict[Place, Words | None] = OrderedDict()
        self._solver: tuple[float, Solver, str] | None = None

    def count(self) -> int:
        """How many there are."""
        self._current()
        return self._count

    def find(self, reference: str, name: str | None = None) -> Laid | None:
        """The table of an id, or of a name within a document."""
        collection_id = self._current()
        key = (reference, name)
        with self._mutex:
            if key in self._laid:
                self._laid.move_to_end(key)
                return self._laid[key]
        with self.database.read() as connection:
            table = tables.find(connection, collection_id, reference, name)
            ids = tables.passage_ids(connection, collection_id, table) if table else {}
        laid = None if table is None else Laid(table, Frame.of(table.columns, table.rows), ids)
        self._keep(self._laid, key, laid, _TABLES)
        return laid

    def words(self, place: Place) -> Words | None:
        """What is said in the table of (document, table)."""
        collection_id = self._current()
        with self._mutex:
            if place in self._words:
                self._words.move_to_end(place)
                return self._words[place]
        with self.database.read() as connection:
            table = tables.find(connection, collection_id, *place)
        found = None if table is None else words_of(table)
        self._keep(self._words, place, found, _WORDS)
        return found

    def answers(self, question: str, laid: Laid) -> list[Ranked]:
        """Possible answers from one table, best first."""
        table = laid.table
        key = (question, (table.document, table.name), "answer")
        title = table.title if table.title != table.name else ""
        made: list[Ranked] = self._once(key, lambda s: s.answer_frame(question, laid.frame, title))
        return made

    def judged(self, claim: str, laid: Laid) -> Judged:
        """What the table says to a claim."""
        table = laid.table
        key = (claim, (table.document, table.name), "judge")
        title = table.title if table.title != table.name else ""
        made: Judged = self._once(key, lambda s: s.judge_frame(claim, laid.frame, title))
        return made

    @property
    def where(self) -> str:
        """What the confidence was fitted on here; empty: on other tables."""
        return self.solver()[1]

    def solver(self) -> tuple[Solver, str]:
        """The solver with the weights that were fitted here, else the shipped ones."""
        with self.database.read() as connection:
            here = collections.find(connection, self.name).id
            made = tuned.made(connection, here, NAME)
            held = self._solver
            if held is None or held[0] != made:
                kept = tuned.of(connection, here, NAME) if made else None
                solver = Solver(Weights.load(io.BytesIO(kept.body))) if kept else Solver.load()
                self._solver = held = made, solver, kept.where if kept else ""
                self._done.clear()
        return held[1], held[2]

    def _once(self, key: tuple[str, Place, str], solve: Callable[[Solver], Any]) -> Any:
        with self._mutex:
            if key in self._done:
                self._done.move_to_end(key)
                return self._done[key]
        found = solve(self.solver()[0])
        self._keep(self._done, key, found, _ANSWERS)
        return found

    def _keep(self, into: OrderedDict[Any, Any], key: object, value: object, most: int) -> None:
        with self._mutex:
            into[key] = value
            while len(into) > most:
                into.popitem(last=False)

    def _current(self) -> int:
        """The collection's id; what is remembered of an older revision is forgotten."""
        with self.database.read() as connection:
            collection = collections.find(connection, self.name)
            if collection.revision != self._revision:
                count = tables.count(connection, collection.id)
                with self._mutex:
                    self._laid.clear()
                    self._done.clear()
                    self._words.clear()
                    self._revision, self._count = collection.revision, count
        return collection.id


def words_of(table: StoredTable) -> Words:
    """The words of title, headers and cells."""
    headers = [tuple(tokens(name)) for name in table.columns]
    cells = [tuple(tokens(cell)) for row in table.rows for cell in row]
    title = tuple(tokens(table.title)) if table.title != table.name else ()
    spoken = [title, *headers, *cells]
    return Words(
        frozenset(token for name in (title, *headers) for token in name),
        frozenset(token for some in spoken for token in some),
        frozenset(cell for cell in cells if cell),
        frozenset(pair for some in spoken for pair in pairwise(some)),
        len(table.rows),
    )
