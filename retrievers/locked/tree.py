"""Does a parsed query hold only what reading needs? Node by node against a list, then its names.

What is not on the list is refused, so that a parser's new node is too. Not here: parsing, and the
functions' names (`guard`: they are checked in the text that runs).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from sqlglot import exp

from retrievers.locked import rows
from retrievers.locked.allowed import HIDDEN, TYPES
from retrievers.locked.nouns import Dialect, Schema
from retrievers.locked.refused import Refused

TABLES = 20
_NAME = re.compile(r"[^\W\d]\w{0,62}")
_NODES = (
    exp.Select, exp.SetOperation, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join, exp.Table,
    exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Literal, exp.Boolean,
    exp.Null, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset,
    exp.Distinct, exp.Paren, exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var, exp.In,
    exp.Between, exp.Not, exp.Neg, exp.Is, exp.Escape, exp.Tuple, exp.Window, exp.WindowSpec,
    exp.Filter, exp.Qualify, exp.Cube, exp.Rollup, exp.GroupingSets, exp.WithinGroup, exp.All,
    exp.Any, exp.Func, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.Like, exp.ILike, exp.Glob, exp.SimilarTo, exp.Add, exp.Sub, exp.Mul,
    exp.Div, exp.IntDiv, exp.Mod, exp.DPipe, exp.BitwiseAnd, exp.BitwiseOr,
)  # fmt: skip
_BARE = ("current_date", "current_time", "current_timestamp")
_NEVER = (exp.UDTF, exp.Hint, exp.Placeholder, exp.Parameter, exp.Lock, exp.Into, exp.JSONExtract)


def checked(tree: exp.Expression, dialect: Dialect, schema: Schema) -> frozenset[str]:
    """Every node is of a kind on the list, and every table is known; the tables it reads."""
    for node in tree.walk():
        if reason := _wrong(node, dialect):
            raise Refused(reason)
    return _tables(tree, dialect, schema)


def _wrong(node: exp.Expr, dialect: Dialect) -> str | None:
    """Why a node may not occur, None for one that may; its children are asked themselves."""
    reason = None
    if not isinstance(node, _NODES) or isinstance(node, _NEVER):
        reason = f"{node.key.upper()} is not allowed"
    elif isinstance(node, exp.With) and node.args.get("recursive"):
        reason = "WITH RECURSIVE is not allowed"
    elif isinstance(node, exp.TableAlias) and node.args.get("columns"):
        reason = f"the column list of {node.name!r}: name columns by AS inside"
    elif isinstance(node, exp.Select) and not node.expressions:
        reason = "a SELECT of nothing"
    elif isinstance(node, exp.Identifier) and not (node.quoted or _NAME.fullmatch(node.name)):
        reason = f"the name {node.name[:40]!r}"
    elif isinstance(node, exp.DataType) and node.this.value.lower() not in TYPES:
        reason = f"the type {node.sql()[:40]!r}"
    elif isinstance(node, exp.From | exp.Join):
        if not isinstance(node.this, exp.Table | exp.Subquery):
            reason = f"{node.this.key.upper()} is not a table"
    elif isinstance(node, exp.Func) and _bare(node, dialect) not in ("", *_BARE):
        reason = f"the function {_bare(node, dialect)!r} is not allowed"
    return reason


def _bare(node: exp.Expr, dialect: Dialect) -> str:
    """A function that is called by its mere name, such as SESSION_USER; '' for all others."""
    if any(True for _ in node.iter_expressions()):
        return ""
    text = node.sql(dialect=dialect).lower()
    return "" if "(" in text else text


def _tables(tree: exp.Expression, dialect: Dialect, schema: Schema) -> frozenset[str]:
    known = {_folded(table.name, dialect): table.name for table in schema.tables}
    own = _ctes(tree, known)
    used = set()
    for count, table in enumerate(tree.find_all(exp.Table)):
        if count >= TABLES:
            raise Refused(f"more than {TABLES} tables")
        if not isinstance(table.this, exp.Identifier) or table.args.get("db"):
            raise Refused(f"{table.sql()[:60]!r} is not the name of a table")
        name = called(table.this, dialect)
        if name not in known and name.lower() not in _before(table, own):
            raise Refused(_unknown("table", table.name, list(known.values())))
        used |= {known[name]} if name in known else set()
    if dialect != "sqlite":
        _columns_known(tree, schema)
    if dialect == "postgres":
        rows.checked(tree, schema)
    return frozenset(used)


def called(name: exp.Identifier, dialect: Dialect) -> str:
    """What a name means: Postgres tells "Orders" from orders, the others do not."""
    if dialect == "postgres" and name.args.get("quoted"):
        return str(name.name)
    return str(name.name).lower()


def _folded(name: str, dialect: Dialect) -> str:
    return name if dialect == "postgres" else name.lower()


def _before(table: exp.Table, own: list[str]) -> list[str]:
    """The query's own parts that a name may mean at this place: within a part, the earlier ones."""
    part = table.find_ancestor(exp.CTE)
    return own if part is None else own[: own.index(part.alias.lower())]


def _ctes(tree: exp.Expression, known: Mapping[str, str]) -> list[str]:
    """Names that the query gives to parts of itself, in their order: plain ones, and none in terms
    of itself. A WITH further inside would name a part for some of the query alone.
    """
    found: list[str] = []
    if any(one.parent is not tree for one in tree.find_all(exp.With)):
        raise Refused("a WITH inside of the query: write it first")
    for cte in tree.find_all(exp.CTE):
        name = cte.alias.lower()
        if not _NAME.fullmatch(name) or name.startswith(HIDDEN):
            raise Refused(f"a CTE may not be called {name[:40]!r}")
        inside = {table.name.lower() for table in cte.this.find_all(exp.Table)}
        if name in inside and name not in known:  # SQLite needs no RECURSIVE for that
            raise Refused(f"the CTE {name!r} reads itself")
        found.append(name)
    return found


def _columns_known(tree: exp.Expression, schema: Schema) -> None:
    """No bare word that is neither a column nor an alias: some are read as functions."""
    names = {column.name for table in schema.tables for column in table.columns}
    names |= {alias.alias for alias in tree.find_all(exp.Alias)}
    names |= {_called(one) for one in tree.find_all(exp.Select) for one in one.expressions}
    lowered = {name.lower() for name in names}
    for column in tree.find_all(exp.Column):
        if not isinstance(column.this, exp.Star) and column.name.lower() not in lowered:
            raise Refused(_unknown("column", column.name, sorted(names)))


def _called(node: exp.Expression) -> str:
    """What an output column without a name is called by DuckDB, for simple calls."""
    return node.sql(dialect="duckdb").lower() if isinstance(node, exp.Func) else ""


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return f"there is no {what} {name[:60]!r}" + (f", did you mean {near[0]!r}" if near else "")
