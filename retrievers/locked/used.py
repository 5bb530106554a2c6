"""Which source rows a query reads: the queries that say so, one for each table it reads from.

A SELECT's rows are those that its FROM and WHERE let through; nested ones in FROM, those of a WITH
and both sides of a UNION speak for themselves. What is only compared with, inside a WHERE, is left
out: of `price = (SELECT max(price) ...)` the row with that price is read. Not here: running it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from retrievers.locked.nouns import Dialect

Columns = Callable[[str], Sequence[str]]
_MOST_TABLES = 8


@dataclass(frozen=True, slots=True)
class RowsOf:
    """A SELECT of some columns of one table's rows."""

    table: str
    sql: str


def rows_queries(sql: str, dialect: Dialect, columns: Columns, most: int) -> list[RowsOf]:
    """For each table a query reads, the SELECT of `columns(table)` of the rows it reads there.

    most: rows of each. Empty where the text cannot be read. Rows may come twice (of joins).
    """
    try:
        tree = sqlglot.parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return []
    own = {cte.alias.lower(): cte.this for cte in tree.find_all(exp.CTE)}
    found = [
        RowsOf(
            table.name, _narrow(select, table, columns(table.name), most, tree, own).sql(dialect)
        )
        for select in _reading(tree, own, set())
        for table in _sources(select)
        if isinstance(table, exp.Table) and _is_real(table, own) and columns(table.name)
    ]
    return list(dict.fromkeys(found))[:_MOST_TABLES]


def _is_real(table: exp.Table, own: Mapping[str, exp.Expression]) -> bool:
    """Whether a name means a stored table: no part of the query, or within that part itself."""
    name = table.name.lower()
    part = table.find_ancestor(exp.CTE)
    return name not in own or (part is not None and part.alias.lower() == name)


def columns_said(sql: str, dialect: Dialect) -> frozenset[str]:
    """Names of columns that a query speaks of, in lower case; "*" where it takes all of a table."""
    try:
        tree = sqlglot.parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return frozenset()
    said = {column.name.lower() for column in tree.find_all(exp.Column)}
    stars = (star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count))
    return frozenset(said | {"*" for _ in stars})


def _reading(
    node: exp.Expr, own: Mapping[str, exp.Expression], seen: set[str]
) -> Iterator[exp.Select]:
    """Every SELECT whose rows are read, not those that are compared with."""
    if isinstance(node, exp.SetOperation):
        for side in (node.this, node.expression):
            yield from _reading(side, own, seen)
    elif isinstance(node, exp.Subquery):
        yield from _reading(node.this, own, seen)
    elif isinstance(node, exp.Select):
        yield node
        if not _sources(node):  # a sum of nested queries and no more
            for nested in (one for out in node.expressions for one in out.find_all(exp.Subquery)):
                yield from _reading(nested.this, own, seen)
        for source in _sources(node):
            name = source.name.lower()
            if isinstance(source, exp.Subquery):
                yield from _reading(source.this, own, seen)
            elif name in own and name not in seen:
                seen.add(name)
                yield from _reading(own[name], own, seen)


def _sources(select: exp.Select) -> list[exp.Expression]:
    begun = select.args.get("from_")
    first = [begun.this] if begun is not None else []
    return [*first, *(join.this for join in select.args.get("joins") or [])]


def _narrow(
    select: exp.Select,
    table: exp.Table,
    columns: Sequence[str],
    most: int,
    tree: exp.Expr,
    own: Mapping[str, exp.Expression],
) -> exp.Select:
    """The same FROM and WHERE, of one table's columns; the first of an order are those shown."""
    narrow = exp.Select()
    alias = table.args.get("alias")
    called = alias.this if alias is not None else table.this  # quoted as the query has it
    named = [
        exp.Column(this=exp.to_identifier(one, quoted=True), table=called.copy()) for one in columns
    ]
    narrow.set("expressions", named)
    for part in ("from_", "where"):
        if select.args.get(part) is not None:
            narrow.set(part, select.args[part].copy())
    narrow.set("joins", [join.copy() for join in select.args.get("joins") or []])
    if own and tree.args.get("with_") is not None:
        narrow.set("with_", tree.args["with_"].copy())
    order, limit = select.args.get("order"), select.args.get("limit")
    if not _grouped(select):
        if order is not None:
            narrow.set("order", _spelled_out(select, order.copy()))
        for part, its in (("limit", limit), ("offset", select.args.get("offset"))):
            if its is not None:
                narrow.set(part, its.copy())
    return narrow if narrow.args.get("limit") is not None else narrow.limit(most)


def _grouped(select: exp.Select) -> bool:
    """Whether its rows are not rows of a table: groups, one sum, distinct values."""
    if select.args.get("group") is not None or select.args.get("distinct") is not None:
        return True
    return any(
        isinstance(found, exp.AggFunc) and not found.find_ancestor(exp.Window, exp.Subquery)
        for one in select.expressions
        for found in one.find_all(exp.AggFunc)
    )


def _spelled_out(select: exp.Select, order: exp.Expression) -> exp.Expression:
    """An ORDER BY that names no output of the query: neither by alias nor by number."""
    outputs = {one.alias.lower(): one.this for one in select.expressions if one.alias}
    for ordered in order.expressions:
        by = ordered.this
        if (
            isinstance(by, exp.Literal)
            and by.is_int
            and 0 < int(by.name) <= len(select.expressions)
        ):
            ordered.set("this", select.expressions[int(by.name) - 1].unalias().copy())
        elif isinstance(by, exp.Column) and not by.table and by.name.lower() in outputs:
            ordered.set("this", outputs[by.name.lower()].copy())
    return order
