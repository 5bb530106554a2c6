"""Databases that lie elsewhere, asked where they are: SQLite and DuckDB files, Postgres.

Which of them a question is about is told by its words: the names of tables and columns, and values
of theirs. SQL runs in the locked reader; the rows that it read are cited by their cells. Not here:
the walls (locked/), which rows are cited (attached_rows.py), reading them again (locked/reread.py).
"""

from __future__ import annotations

import threading
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from corpus.tokens import tokens
from pilotfish.errors import PilotfishError
from pilotfish.types import Case, Cells, Question
from retrievers.attached_rows import named, rows_used
from retrievers.linking import Linked, link, parts
from retrievers.locked.nouns import (
    Database,
    Dialect,
    Name,
    QueryFailed,
    Schema,
    shown,
)
from retrievers.locked.reader import Reader
from retrievers.locked.reread import stands
from retrievers.sql import SHOWN, Ran
from retrievers.tables.retrieve import asked_words
from store import attachments, collections
from store.attachments import Attachment
from store.database import Database as Workspace

REFRESHED_S = 300.0  # after which a schema is read anew
AWAY_S = 120.0  # for that long one that could not be opened is not tried again
DIALECTS: dict[Dialect, str] = {
    "sqlite": "SQLite", "duckdb": "DuckDB", "postgres": "PostgreSQL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """An attached database as it was read: its schema and the words of it.

    `named`: of tables and columns; `said`: those and its values'. `why`: it cannot be read.
    """

    attachment: Attachment
    reader: Reader
    schema: Schema
    named: frozenset[str]
    said: frozenset[str]
    stamp: object
    at: float
    why: str = ""

    @property
    def dialect(self) -> Dialect:
        return self.reader.database.dialect


@dataclass(frozen=True, slots=True)
class Asked:
    """The database that a question is about, how much of the question it speaks of, and `table`
    where the caller names one of its tables.
    """

    opened: Opened
    chance: float
    table: str = ""


class Attached:
    """The attached databases of one collection, shared by threads."""

    def __init__(self, workspace: Workspace, collection: str) -> None:
        self.workspace, self.collection = workspace, collection
        self._mutex = threading.Lock()
        self._open: dict[str, Opened] = {}
        self._opening: dict[str, threading.Lock] = {}
        self._last = threading.local()  # what this thread ran for its question: asked for twice
        weakref.finalize(self, _closed, self._open)

    def known(self) -> list[Attachment]:
        """What is attached now."""
        with self.workspace.read() as connection:
            here = collections.find(connection, self.collection).id
            return attachments.every(connection, here)

    def names(self, reference: str) -> bool:
        """Whether the caller's `table` names an attached database, or NAME.TABLE of one."""
        return any(reference.split(".")[0] == one.name for one in self.known())

    def about(self, case: Case) -> Asked | None:
        """The database that the caller names, else the one that speaks of most of the question."""
        scope = case.question.scope
        if scope.table is not None:
            name, _, table = scope.table.partition(".")
            found = [one for one in self.known() if one.name == name]
            return Asked(self.opened(found[0]), 1.0, table) if found else None
        if scope.topic is not None or scope.kind not in (None, "table"):
            return None
        rated = [
            Asked(one, chance(case.question.text, one)) for one in map(self.opened, self.known())
        ]
        return max(rated, key=lambda one: one.chance, default=None)

    def linked(self, case: Case) -> Linked | None:
        """The part of its schema that a question is about."""
        asked = self.about(case)
        if asked is None or not asked.opened.schema.tables:
            return None
        schema = asked.opened.schema
        if asked.table:
            only = named(schema.tables, asked.table)
            schema = schema if only is None else Schema((only,))
        return link(case.question.text, schema, at_least=SHOWN)

    def dialect(self, case: Case) -> str:
        """The SQL that it reads, for a prompt."""
        asked = self.about(case)
        return DIALECTS[asked.opened.dialect if asked else "duckdb"]

    def run(self, case: Case, sql: str) -> Ran:
        """Run one SELECT where the database lies, once for a question."""
        last: tuple[Question, Ran] | None = getattr(self._last, "ran", None)
        if last is not None and last[0] is case.question and last[1].sql == sql:
            return last[1]
        asked = self.about(case)
        if asked is None or asked.opened.why:
            why = asked.opened.why if asked else "the question is about no database that is known"
            return Ran(sql, problem=why)
        ran = self._run(asked.opened, sql)
        self._last.ran = case.question, ran
        return ran

    def _run(self, opened: Opened, sql: str) -> Ran:
        try:
            found = opened.reader.run(sql)
            used = rows_used(opened.reader, opened.schema, opened.attachment.name, sql, found)
        except QueryFailed as error:
            return Ran(sql, problem=str(error))
        except PilotfishError as error:  # it went away meanwhile
            return Ran(sql, problem=str(error))
        finally:
            self._let_go(opened)
        rows = tuple(tuple(shown(cell) for cell in row) for row in found.rows)
        return Ran(sql, found.columns, rows, used, found.truncated)

    def stands(self, source: Cells) -> bool:
        """Whether the cited rows are in their database now."""
        found = [one for one in self.known() if one.name == source.document]
        opened = self.opened(found[0]) if found else None
        table = named(opened.schema.tables, source.table) if opened else None
        if opened is None or table is None:
            return False
        try:
            return stands(opened.reader, table, source)
        except PilotfishError:
            return False
        finally:
            self._let_go(opened)

    def opened(self, attachment: Attachment) -> Opened:
        """As it was read last, or anew: it changed, it was away, or that is long ago."""
        held, stamp = self._open.get(attachment.name), _stamp(attachment)
        same = held if held is not None and held.attachment == attachment else None
        if same is not None and _lasts(same, stamp):
            return same
        with self._mutex:
            lock = self._opening.setdefault(attachment.name, threading.Lock())
        # one thread waits for a server that may be away; the others go on with what was read last
        if not lock.acquire(blocking=same is None):
            assert same is not None
            return same
        try:
            held = self._open.get(attachment.name)
            if held is not None and held.attachment == attachment and _lasts(held, stamp):
                return held
            if held is not None:
                held.reader.close()
            made = self._open[attachment.name] = _opened(attachment, stamp)
        finally:
            lock.release()
        self._let_go(made)
        return made

    def close(self) -> None:
        """End every child."""
        with self._mutex:
            _closed(self._open)

    def _let_go(self, opened: Opened) -> None:
        """A DuckDB file that is open keeps its owner from writing: no longer than it is asked."""
        if opened.attachment.engine == "duckdb_file":
            opened.reader.close()


def database_of(one: Attachment) -> Database:
    """What the locked reader is given."""
    granted = frozenset(one.granted) if one.granted is not None else None
    engine = cast(Name, one.engine)
    if engine == "postgres":
        return Database(engine, url=one.place, schema=one.schema, granted=granted)
    return Database(engine, Path(one.place), schema=one.schema, granted=granted)


def chance(question: str, opened: Opened) -> float:
    """The share of the question's words that the database speaks of; 0 where it has no name of any
    table or column in it.
    """
    asked = set(asked_words(question))
    if not asked & opened.named:
        return 0.0
    return len(asked & opened.said) / len(asked)


def _lasts(held: Opened, stamp: object) -> bool:
    """Whether what was read is still good."""
    most = AWAY_S if held.why else REFRESHED_S
    return held.stamp == stamp and time.monotonic() - held.at < most


def _opened(attachment: Attachment, stamp: object) -> Opened:
    reader = Reader(database_of(attachment))
    try:
        schema, why = reader.schema, ""
    except PilotfishError as error:
        schema, why = Schema(()), str(error)
    named = set(tokens(attachment.name))
    for table in schema.tables:
        named |= parts(table.name) | {p for column in table.columns for p in parts(column.name)}
    values = " ".join(v for t in schema.tables for c in t.columns for v in c.samples)
    said = frozenset(named | set(tokens(values)))
    at = time.monotonic()
    return Opened(attachment, reader, schema, frozenset(named), said, stamp, at, why)


def _stamp(attachment: Attachment) -> object:
    """Changes when another file takes the place; what is written to one is read after a while."""
    try:
        about = Path(attachment.place).stat() if attachment.engine != "postgres" else None
    except OSError:
        return None
    return (about.st_ino, about.st_dev) if about else None


def _closed(opened: dict[str, Opened]) -> None:
    while opened:
        opened.popitem()[1].reader.close()
