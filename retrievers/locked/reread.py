"""Rows of an attached database, read again by their own cells: are they still there, as cited?

Keys are asked for by equality, so that an index serves them; without a key, every cell is. What
comes back is compared cell by cell, as text. Not here: which rows were cited (attached.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from pilotfish.types import Cells
from retrievers.locked.nouns import Column, Dialect, Table, shown
from retrievers.locked.reader import Reader

AT_ONCE = 10  # rows of one query
_NEAR, _SINGLE = 1e-9, 1e-6  # of a float: it is shown in twelve digits, of four bytes in fewer
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.I)
_NUMERIC = re.compile(r"int|num|decimal|real|float|double|serial|money", re.I)
_WHOLE = re.compile(r"(?<!po)int|serial", re.I)
_FOUR_BYTES = re.compile(r"real|float4|^float$", re.I)
# no plain equality
_UNLIKE = re.compile(r"bool|json|xml|bytea|blob|\[\]|struct|map|interval|union|point|box"
                     r"|line|path|polygon|circle", re.I)  # fmt: skip
_LONG = 200  # characters: longer cells are only compared when they are read


def stands(reader: Reader, table: Table, source: Cells) -> bool:
    """Whether every cited row is in the table; QueryFailed where it cannot be asked."""
    columns = [next((c for c in table.columns if c.name == name), None) for name in source.columns]
    if not source.values or any(column is None for column in columns):
        return False
    known = [column for column in columns if column is not None]
    for at in range(0, len(source.values), AT_ONCE):
        rows = source.values[at : at + AT_ONCE]
        found = reader.run(_query(table, known, rows, reader.database.dialect)).rows
        there = {tuple(shown(cell) for cell in row) for row in found}
        if not there.issuperset(rows):
            return False
    return True


def _query(
    table: Table, columns: Sequence[Column], rows: Sequence[Sequence[str]], dialect: Dialect
) -> str:
    keys = {c.name for c in table.columns if c.key}
    whole = bool(keys) and keys <= {c.name for c in columns}
    asked = [at for at, c in enumerate(columns) if c.key] if whole else [*range(len(columns))]
    asked = [at for at in asked if not _UNLIKE.search(columns[at].type)]
    asked = [at for at in asked if all(len(row[at]) <= _LONG for row in rows)]
    either = [
        exp.and_(*(_is(columns[at], row[at]) for at in asked)) for row in rows if asked
    ]  # fmt: skip
    query = exp.select(*(exp.column(c.name, quoted=True) for c in columns))
    if not any(_UNLIKE.search(c.type) for c in columns):
        query = query.distinct()  # equal rows would fill what is given back
    query = query.from_(exp.to_identifier(table.name, quoted=True))
    if either:
        query = query.where(exp.or_(*either))
    return query.limit(1000).sql(dialect=dialect)


def _is(column: Column, value: str) -> exp.Expression:
    """The condition that a cell is what was cited."""
    name: exp.Condition = exp.column(column.name, quoted=True)
    if not value:
        text = exp.cast(name.copy(), "text")
        return exp.paren(exp.or_(name.is_(exp.null()), text.eq(exp.Literal.string(""))))
    if not _NUMBER.fullmatch(value) or (column.type and not _NUMERIC.search(column.type)):
        plain = name if column.type else exp.cast(name, "text")
        return plain.eq(exp.Literal.string(value))
    if not column.type:  # an expression of a view: SQLite would compare a number with a text
        name = exp.cast(name, "double")
    elif value.lstrip("-").isdecimal() and _WHOLE.search(column.type):
        return name.eq(exp.Literal.number(value))
    number = float(value)
    slack = abs(number) * (_SINGLE if _FOUR_BYTES.search(column.type) else _NEAR) + 1e-12
    low, high = repr(number - slack), repr(number + slack)
    return name.between(exp.Literal.number(low), exp.Literal.number(high))
