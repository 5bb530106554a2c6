"""Which source rows a query over one table reads: the query that says so.

For a SELECT over one table the rows are those that its WHERE lets through; for joins, nested
queries and sets nobody can say it so simply, and None is given. Not here: running it.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from retrievers.locked.tree import Dialect


def rows_query(sql: str, dialect: Dialect, row: str, most: int) -> tuple[str, str] | None:
    """(table, a SELECT of its column `row`) for a query over one table; None for any other."""
    try:
        tree = sqlglot.parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return None
    if not isinstance(tree, exp.Select):
        return None
    tables = list(tree.find_all(exp.Table))
    selects = list(tree.find_all(exp.Select))
    if len(tables) != 1 or len(selects) != 1 or tree.args.get("joins") or tree.args.get("having"):
        return None
    where = tree.args.get("where")
    narrow = exp.select(exp.column(row)).from_(tables[0].copy())
    if where is not None:
        narrow = narrow.where(where.this.copy())
    group = tree.args.get("group")
    order, limit = tree.args.get("order"), tree.args.get("limit")
    if order is not None and group is None:  # the first of an order are the rows that are shown
        narrow.set("order", order.copy())
        if limit is not None:
            narrow.set("limit", limit.copy())
    if narrow.args.get("limit") is None:
        narrow = narrow.limit(most)
    return tables[0].name, narrow.sql(dialect=dialect)
