"""The SQL that says the same as a program, to be shown; SQLite and DuckDB both run it.

Over a table "t" of text columns with an integer column "row" from 0. Numbers of text are read by
CAST, so the SQL is exact for cells that are plain numbers and texts, and for others it shows what
was meant: units, dates and spelling are the frame's own reading. Not here: running it.
"""

from __future__ import annotations

from collections.abc import Sequence

from retrievers.tableqa.execute import select
from retrievers.tableqa.frame import ROW, Frame
from retrievers.tableqa.programs import Order, Program, Rows, Where

_REDUCE = {"sum": "SUM({0})", "mean": "AVG({0})", "max": "MAX({0})", "min": "MIN({0})",
           "range": "MAX({0}) - MIN({0})"}  # fmt: skip


def names(frame: Frame) -> list[str]:
    """A name for each column: its header, numbered where it is empty, taken or "row"."""
    found: list[str] = []
    for i, column in enumerate(frame.columns):
        plain = column.header or f"column {i + 1}"
        found.append(plain if plain not in [*found, "row"] else f"{plain} {i + 1}")
    return found


def sql(program: Program, frame: Frame) -> str:
    """One SELECT of the program."""
    return _sql(program, frame).replace("1 = 1 AND ", "").replace(" WHERE 1 = 1", "")


def _sql(program: Program, frame: Frame) -> str:
    writer = _Writer(frame)
    chosen = writer.chosen(program.rows)
    column = writer.name(program.column)
    if program.op == "count":
        return f"SELECT COUNT(*) FROM t WHERE {chosen}"
    if program.op == "streak":
        runs = f"SELECT row - ROW_NUMBER() OVER (ORDER BY row) AS run FROM t WHERE {chosen}"
        return f"SELECT COUNT(*) AS n FROM ({runs}) AS r GROUP BY run ORDER BY n DESC LIMIT 1"
    if program.op == "distinct":
        return f"SELECT COUNT(DISTINCT {column}) FROM t WHERE {chosen} AND {column} <> ''"
    if program.op in _REDUCE:
        number = writer.number(program.column)
        return f"SELECT {_REDUCE[program.op].format(number)} FROM t WHERE {chosen}"
    if program.op in {"frequent", "rare"}:
        return _frequent(program, column, chosen)
    if program.other:
        return _paired(program, writer, chosen, writer.chosen(program.other))
    shown = column if program.op == "cells" else writer.number(program.column)
    return f"SELECT {shown} FROM t WHERE {chosen} GROUP BY {shown} ORDER BY MIN(row)"


def _frequent(program: Program, column: str, chosen: str) -> str:
    way = "MAX" if program.op == "frequent" else "MIN"
    groups = f"SELECT COUNT(*) AS n FROM t WHERE {chosen} AND {column} <> '' GROUP BY {column}"
    return (
        f"SELECT {column} FROM t WHERE {chosen} AND {column} <> '' GROUP BY {column} "
        f"HAVING COUNT(*) = (SELECT {way}(n) FROM ({groups}) AS g) ORDER BY MIN(row)"
    )


def _paired(program: Program, writer: _Writer, one: str, two: str) -> str:
    number, column = writer.number(program.column), writer.name(program.column)
    left, right = (f"(SELECT COUNT(*) FROM t WHERE {rows})" for rows in (one, two))
    if program.op == "count_difference":
        return f"SELECT ABS({left} - {right})"
    if program.op == "count_sum":
        return f"SELECT COUNT(*) FROM t WHERE ({one}) OR ({two})"
    if program.op in {"more", "fewer"}:
        sign = ">" if program.op == "more" else "<"
        pick = f"(SELECT {column} FROM t WHERE {{0}} ORDER BY row LIMIT 1)"
        return (
            f"SELECT CASE WHEN {left} {sign} {right} THEN {pick.format(one)} "
            f"ELSE {pick.format(two)} END"
        )
    left, right = (f"(SELECT SUM({number}) FROM t WHERE {rows})" for rows in (one, two))
    return f"SELECT ABS({left} - {right})" if program.op == "difference" else (
        f"SELECT {left} + {right}"
    )  # fmt: skip


class _Writer:
    """Conditions of one frame's rows."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.names = names(frame)

    def name(self, column: int) -> str:
        """The quoted name of a column."""
        return '"' + self.names[column].replace('"', '""') + '"'

    def number(self, column: int) -> str:
        """The column as a number; of dates the year, first or last in the text."""
        name = self.name(column)
        if self.frame.columns[column].kind == "date":
            iso = any(cell[column].raw[:4].isdigit() for cell in self.frame.cells[:5])
            year = f"SUBSTR({name}, 1, 4)" if iso else f"SUBSTR({name}, -4)"
            return f"CAST(NULLIF({year}, '') AS DOUBLE)"
        cells = [row[column].raw for row in self.frame.cells]
        digits = name
        for noise in (",", "%", "$"):  # only what there is: people read this
            if any(noise in cell for cell in cells):
                digits = f"REPLACE({digits}, '{noise}', '')"
        blank = any(not cell.strip() for cell in cells)
        return f"CAST(NULLIF({digits}, '') AS DOUBLE)" if blank else f"CAST({digits} AS DOUBLE)"

    def chosen(self, rows: Rows) -> str:
        """The condition that just these rows meet."""
        found = self._filtered(rows)
        if rows.order:
            found = self._extreme(found, rows.order)
        return self._stepped(found, rows) if rows.step else found

    def _filtered(self, rows: Rows) -> str:
        if not rows.where:
            out = sorted(set(range(len(self.frame))) - {*self.frame.body})
            return f"row NOT IN ({_listed(out)})" if out else "1 = 1"
        tests = [self._test(where) for where in rows.where]
        return f"({' OR '.join(tests)})" if rows.either else " AND ".join(tests)

    def _test(self, where: Where) -> str:
        name = self.name(where.column)
        if isinstance(where.value, str):
            return self._text_test(name, where)
        operator = "<>" if where.test == "!=" else where.test
        return f"{self.number(where.column)} {operator} {where.value:g}"

    def _text_test(self, name: str, where: Where) -> str:
        """As the table writes it: the cells that meet the condition, spelled out."""
        rows = select(Rows((where,)), self.frame)
        if where.test == "not":
            value = str(where.value).replace("'", "''")
            return f"LOWER({name}) <> '{value}'"
        texts = dict.fromkeys(self.frame.cells[i][where.column].raw for i in rows)
        quoted = ["'" + text.replace("'", "''") + "'" for text in texts]
        if not quoted:
            return "1 = 0"
        return f"{name} = {quoted[0]}" if len(quoted) == 1 else f"{name} IN ({', '.join(quoted)})"

    def _extreme(self, found: str, order: Order) -> str:
        way = "MAX" if order.largest else "MIN"
        key = "row" if order.column == ROW else self.number(order.column)
        return f"{found} AND {key} = (SELECT {way}({key}) FROM t WHERE {found})"

    def _stepped(self, found: str, rows: Rows) -> str:
        last = f"(SELECT MAX(row) FROM t WHERE {found})"
        first = f"(SELECT MIN(row) FROM t WHERE {found})"
        if rows.step == "same":
            name = self.name(rows.step_column)
            return f"{name} IN (SELECT {name} FROM t WHERE {found}) AND NOT ({found})"
        return {"next": f"row = {last} + 1", "previous": f"row = {first} - 1",
                "below": f"row > {last}", "above": f"row < {first}"}[rows.step]  # fmt: skip


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
