"""Postgres reads `t.f` as f(t) where t has no column f: is every qualified column a column?

Each name before a dot must be a table, a part or a nested query of this query, told apart from all
others, and what stands after it one of its columns. A bare name may be no row of a table and none
of the words that are functions. Not here: which tables and functions there are (tree, guard).
https://www.postgresql.org/docs/current/sql-expressions.html#FIELD-SELECTION
"""

from __future__ import annotations

from sqlglot import exp

from retrievers.locked.nouns import Schema
from retrievers.locked.refused import Refused

WORDS = frozenset(
    """user current_user session_user system_user current_role current_catalog current_schema
    localtime localtimestamp current_time current_timestamp""".split()
)


def checked(tree: exp.Expression, schema: Schema) -> None:
    """Refused for the first column that may be something else."""
    tables = {
        table.name.lower(): {c.name.lower() for c in table.columns} for table in schema.tables
    }
    parts = {cte.alias.lower(): cte.this for cte in tree.find_all(exp.CTE)}
    named = _named(tree, tables, parts)
    every = set().union(*tables.values()) if tables else set()
    for column in tree.find_all(exp.Column):
        if isinstance(column.this, exp.Star):
            continue
        name = column.name.lower()
        if column.table:
            if name not in named.get(column.table.lower(), set()):
                raise Refused(f"there is no column {column.sql()[:60]!r}")
        elif name in named and name not in every:
            raise Refused(f"{column.name[:40]!r} is a table, no column")
        elif name in WORDS and not column.this.args.get("quoted"):
            raise Refused(f"the word {column.name[:40]!r} is not allowed")


def _named(
    tree: exp.Expression, tables: dict[str, set[str]], parts: dict[str, exp.Expression]
) -> dict[str, set[str]]:
    """What may stand before a dot, and its columns; Refused where a name means two things."""
    found: dict[str, set[str]] = {}
    sources = [
        (one.alias_or_name.lower(), _source(one, tables, parts))
        for one in tree.find_all(exp.Table, exp.Subquery)
        if one.alias_or_name
    ]
    for name, columns in sources:
        if found.setdefault(name, columns) != columns:
            raise Refused(f"{name[:40]!r} names two things: call each otherwise")
    return found


def _source(
    one: exp.Expr, tables: dict[str, set[str]], parts: dict[str, exp.Expression], depth: int = 0
) -> set[str]:
    """The columns of a table, a part of the query or a nested query."""
    if depth > 20:
        raise Refused("too deeply nested")
    if isinstance(one, exp.Table):
        name = one.name.lower()
        if name in parts and one.find_ancestor(exp.CTE) is not parts[name].parent:
            return _outputs(parts[name], tables, parts, depth + 1)
        return tables.get(name, set())
    return _outputs(one.this, tables, parts, depth + 1)


def _outputs(
    query: exp.Expr, tables: dict[str, set[str]], parts: dict[str, exp.Expression], depth: int
) -> set[str]:
    """The names of a query's columns; of a star all that it stands for."""
    if isinstance(query, exp.SetOperation):
        return _outputs(query.this, tables, parts, depth)
    if isinstance(query, exp.Subquery):
        return _outputs(query.this, tables, parts, depth)
    if not isinstance(query, exp.Select):
        return set()
    found = {one.alias_or_name.lower() for one in query.expressions if one.alias_or_name}
    if any(isinstance(one, exp.Star) or one.is_star for one in query.expressions):
        begun = query.args.get("from_")
        sources = [begun.this] if begun is not None else []
        sources += [join.this for join in query.args.get("joins") or []]
        for source in sources:
            found |= _source(source, tables, parts, depth + 1)
    return found - {"*"}
