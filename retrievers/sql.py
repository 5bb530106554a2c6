"""SQL that a model wrote, run by the locked reader; the rows it read become passages.

A `sql` hint is checked, run over the tables that the question is about, and only them, and
answered with rows or with one line that says what is wrong. Not here: the walls
(retrievers/locked/), the prompt (prompters/sql.py), the answer (pipeline/sql_tier.py).
"""

from __future__ import annotations

import re
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pilotfish.types import Case
from retrievers.linking import Linked, link
from retrievers.locked.nouns import Cell, Database, QueryFailed, Rows, Sheet
from retrievers.locked.reader import Reader
from retrievers.locked.used import rows_query
from retrievers.tables.held import Laid
from retrievers.tables.retrieve import About, row_passages

ROW = "source_row"  # a column of every sheet: the row's number in its source
CITED = 50  # rows that are cited of many
SHOWN = 16  # columns that a prompt shows whatever is linked
_OPEN = 4  # databases whose child is kept warm

Find = Callable[[Case], list[About]]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a query gave: cells as text, the rows it read by table, or what was wrong."""

    sql: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    used: tuple[tuple[Laid, tuple[int, ...]], ...] = ()
    truncated: bool = False
    problem: str = ""


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
            used = self._used(reader, about, sql)
        except QueryFailed as error:
            return Ran(sql, problem=str(error))
        rows = tuple(tuple(shown(cell) for cell in row) for row in found.rows)
        return Ran(sql, found.columns, rows, used or _holding(about, found), found.truncated)

    def _used(
        self, reader: Reader, about: Sequence[About], sql: str
    ) -> tuple[tuple[Laid, tuple[int, ...]], ...]:
        """The rows that a query over one table reads; nothing where that cannot be said."""
        narrow = rows_query(sql, "duckdb", ROW, CITED)
        if narrow is None:
            return ()
        table, query = narrow
        numbers = [int(row[0] or 0) for row in reader.run(query).rows]
        laid = next((a.laid for a, n in _named(about) if n.casefold() == table.casefold()), None)
        if laid is None:
            return ()
        at = {number: row for row, number in enumerate(laid.table.numbers)}
        return ((laid, tuple(at[number] for number in numbers if number in at)),)

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

    sheets: Sheets
    name: str = "run sql"

    def __call__(self, case: Case, /) -> Case:
        sql = next((hint.text for hint in reversed(case.hints) if hint.kind == "sql"), None)
        if sql is None:
            return replace(case, notes={"why": "no SQL was written"})
        ran = self.sheets.run(case, sql)
        if ran.problem:
            return replace(case, notes={"sql": sql, "problem": ran.problem})
        rows = [p for laid, at in ran.used for p in row_passages(laid, at[:CITED])]
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


def shown(cell: Cell) -> str:
    """A cell of a result as people write it: no .0 after whole numbers, no float dust."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.10g}" if abs(cell) < 1e15 else str(cell)
    return str(cell)


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


def _holding(about: Sequence[About], found: Rows) -> tuple[tuple[Laid, tuple[int, ...]], ...]:
    """The rows that hold a cell of the result, where nobody can say which rows were read."""
    wanted = {shown(cell) for row in found.rows[:CITED] for cell in row} - {""}
    rows = [
        (one.laid, tuple(at for at, row in enumerate(one.laid.table.rows) if wanted & set(row)))
        for one in about
    ]
    return tuple((laid, at[:CITED]) for laid, at in rows if at)
