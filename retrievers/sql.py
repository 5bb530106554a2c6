"""SQL that a model wrote, run by the locked reader; the rows it read become passages.

A `sql` hint is checked, run over the tables that the question is about, and only them, and
answered with rows or with one line that says what is wrong. Not here: the walls
(retrievers/locked/), databases that lie elsewhere (attached.py), the prompt (prompters/sql.py), the
answer (pipeline/sql_tier.py).
"""

from __future__ import annotations

import re
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pilotfish.types import Case, Cells, Passage
from retrievers.linking import Linked, link
from retrievers.locked.nouns import Database, QueryFailed, Rows, Sheet, shown
from retrievers.locked.reader import Reader
from retrievers.locked.used import rows_queries
from retrievers.tables.held import Laid
from retrievers.tables.retrieve import CITED, About, cells, row_passages

ROW = "source_row"  # a column of every sheet: the row's number in its source
SHOWN = 16  # columns that a prompt shows whatever is linked
_OPEN = 4  # databases whose child is kept warm

Find = Callable[[Case], list[About]]
Read = list[tuple[Laid, tuple[int, ...]]]  # tables, and the rows of each that were read


@dataclass(frozen=True, slots=True)
class Used:
    """Rows that a query read of one table; as passages too, where they are stored here."""

    cells: Cells
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Ran:
    """What a query gave: cells as text, the rows it read by table, or what was wrong."""

    sql: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    used: tuple[Used, ...] = ()
    truncated: bool = False
    problem: str = ""


class Runs(Protocol):
    """Whoever has tables that a question may be about."""

    def linked(self, case: Case) -> Linked | None:
        """The part of the schema that a question is about; None: there is none."""
        ...

    def run(self, case: Case, sql: str) -> Ran:
        """Run one SELECT over it; what is wrong with it is in `problem`."""
        ...


class Sheets:
    """Opened databases of tables, the least used closed first; shared by threads."""

    def __init__(self, find: Find) -> None:
        self.find = find
        self._open: OrderedDict[tuple[tuple[str, str, int], ...], Reader] = OrderedDict()
        self._ran: OrderedDict[tuple[object, str], Ran] = OrderedDict()
        self._mutex = threading.Lock()
        weakref.finalize(self, _closed, self._open)  # no child outlives who asked it

    def linked(self, case: Case) -> Linked | None:
        """The part of the tables' schema that a question is about; None without tables."""
        about = self.find(case)
        if not about:
            return None
        schema = self._reader(about).schema
        return link(case.question.text, schema, at_least=SHOWN)

    def run(self, case: Case, sql: str) -> Ran:
        """Run one SELECT over the tables that the question is about."""
        about = self.find(case)
        key = (_key(about), sql)
        with self._mutex:
            if key in self._ran:
                return self._ran[key]
        ran = self._run(about, sql)
        with self._mutex:
            self._ran[key] = ran
            while len(self._ran) > 64:
                self._ran.popitem(last=False)
        return ran

    def close(self) -> None:
        """End every child."""
        with self._mutex:
            _closed(self._open)

    def _run(self, about: Sequence[About], sql: str) -> Ran:
        if not about:
            return Ran(sql, problem="the question is about no table that is known")
        reader = self._reader(about)
        try:
            found = reader.run(sql)
        except QueryFailed as error:
            return Ran(sql, problem=str(error))
        rows = tuple(tuple(shown(cell) for cell in row) for row in found.rows)
        read = _read(reader, about, sql) or _holding(about, found)
        used = tuple(
            Used(cells(laid, at, ()), tuple(row_passages(laid, at[:CITED])))
            for laid, at in read
            if at
        )
        return Ran(sql, found.columns, rows, used, found.truncated)

    def _reader(self, about: Sequence[About]) -> Reader:
        key = _key(about)
        with self._mutex:
            reader = self._open.pop(key, None)
            if reader is None:
                sheets = tuple(sheet_of(one.laid, name) for one, name in _named(about))
                reader = Reader(Database("duckdb", tables=sheets))
            self._open[key] = reader
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)[1].close()
        return reader


@dataclass(frozen=True, slots=True)
class RunSql:
    """Runs the last `sql` hint; puts the rows that it read before the case's passages."""

    sheets: Runs
    name: str = "run sql"

    def __call__(self, case: Case, /) -> Case:
        sql = next((hint.text for hint in reversed(case.hints) if hint.kind == "sql"), None)
        if sql is None:
            return replace(case, notes={"why": "no SQL was written"})
        ran = self.sheets.run(case, sql)
        if ran.problem:
            return replace(case, notes={"sql": sql, "problem": ran.problem})
        rows = [passage for used in ran.used for passage in used.passages]
        read = {(row.id, row.start) for row in rows}
        others = [p for p in case.passages if (p.id, p.start) not in read]
        notes = {"sql": sql, "rows": len(ran.rows), "read": len(rows)}
        return replace(case, passages=(*rows, *others), notes=notes)


def _closed(opened: OrderedDict[tuple[tuple[str, str, int], ...], Reader]) -> None:
    while opened:
        opened.popitem()[1].close()


def sheet_of(laid: Laid, name: str) -> Sheet:
    """The table as DuckDB is given it, with the source's row numbers."""
    table = laid.table
    rows = [(str(n), *row) for n, row in zip(table.numbers, table.rows, strict=True)]
    return Sheet(name, (ROW, *table.columns), rows)


def _named(about: Sequence[About]) -> list[tuple[About, str]]:
    """A name for each table that SQL can say, none twice."""
    taken: set[str] = set()
    found = []
    for at, one in enumerate(about, 1):
        title = one.laid.table.title or one.laid.table.name
        name = re.sub(r"\W+", "_", title).strip("_").lower()[:40]
        if not re.fullmatch(r"[^\W\d]\w*", name) or name in taken:
            name = f"table_{at}"
        taken.add(name)
        found.append((one, name))
    return found


def _key(about: Sequence[About]) -> tuple[tuple[str, str, int], ...]:
    """Which tables, and which reading of them: what changed is read again."""
    return tuple((a.laid.table.document, a.laid.table.name, id(a.laid)) for a in about)


def _read(reader: Reader, about: Sequence[About], sql: str) -> Read:
    """The rows that a query reads; nothing where that cannot be said."""
    laid_of = {name.casefold(): one.laid for one, name in _named(about)}
    read: dict[int, tuple[Laid, dict[int, None]]] = {}
    for narrow in rows_queries(sql, "duckdb", lambda _: (ROW,), CITED):
        laid = laid_of.get(narrow.table.casefold())
        if laid is None:
            return []
        try:
            numbers = [int(row[0]) for row in reader.run(narrow.sql).rows if row[0] is not None]
        except QueryFailed:
            continue
        at = {number: row for row, number in enumerate(laid.table.numbers)}
        rows = read.setdefault(id(laid), (laid, {}))[1]
        rows |= {at[number]: None for number in numbers if number in at}
    return [(laid, tuple(rows)) for laid, rows in read.values()]


def _holding(about: Sequence[About], found: Rows) -> Read:
    """The rows that hold a cell of the result, where nobody can say which rows were read."""
    wanted = {shown(cell) for row in found.rows[:CITED] for cell in row} - {""}
    rows = [
        (one.laid, tuple(at for at, row in enumerate(one.laid.table.rows) if wanted & set(row)))
        for one in about
    ]
    return [(laid, at[:CITED]) for laid, at in rows]
