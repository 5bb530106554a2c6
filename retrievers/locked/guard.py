"""Is this text one SELECT over known tables with known functions? Refused by default.

`tree` checks what was parsed node by node; the text that will run is then checked once more, token
by token, for calls, because what a parser renames it may also hide.
Not here: running it, or the walls behind (`sqlite`'s authorizer, DuckDB's locks, `jail`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

from retrievers.locked.allowed import BEFORE_PARENTHESIS, FUNCTIONS
from retrievers.locked.nouns import Dialect, QueryFailed, Schema
from retrievers.locked.refused import Refused
from retrievers.locked.tree import checked

CHARACTERS, DEPTH, ROWS = 10_000, 40, 1_000
log = logging.getLogger("pilotfish.locked")
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it warns of what is refused anyway
# What sqlglot raises on broken text besides its own errors (found by mutation).
_BREAKS = (LookupError, AttributeError, TypeError, ValueError, AssertionError)
_BRACKETS = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSED = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)


@dataclass(frozen=True, slots=True)
class Checked:
    """SQL that may run: `sql` ends in a LIMIT of one row more than may be given back."""

    sql: str
    tables: frozenset[str]


def allowed(sql: str, dialect: Dialect, schema: Schema, rows: int = ROWS) -> Checked | QueryFailed:
    """Check a query for tables of `schema`; never raises. QueryFailed has the code `sql_refused`.

    SQLite runs the text as it was given, since it reads "x" as text where there is no column x;
    the others run what was parsed, written out again.
    """
    try:
        tokens = _tokens(sql, dialect)
        tree = _parsed(sql, dialect)
        tables = checked(tree, dialect, schema)
        text = _written(sql, tokens, tree, dialect, rows)
        _calls_known(text, dialect)
    except (Refused, UnsupportedError) as error:
        known = ", ".join(table.name for table in schema.tables[:20])
        return QueryFailed("sql_refused", f"refused: {error}: write one SELECT over {known}")
    except RecursionError:
        return QueryFailed("sql_refused", "refused: too deeply nested: write a flatter SELECT")
    except _BREAKS as error:  # closed: what the parser breaks on does not run
        log.info("the parser broke on SQL: %s: %s", type(error).__name__, error)
        return QueryFailed("sql_refused", "refused: it cannot be read: write one plain SELECT")
    return Checked(text, tables)


def _tokens(sql: str, dialect: Dialect) -> list[Token]:
    if not sql.strip():
        raise Refused("the query is empty")
    if len(sql) > CHARACTERS:
        raise Refused(f"{len(sql)} characters, the cap is {CHARACTERS}")
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", sql):
        raise Refused("control characters in it")
    try:
        tokens = list(sqlglot.tokenize(sql, read=dialect))
    except SqlglotError as error:
        raise Refused(f"it cannot be read ({_line(error)})") from None
    depth = deepest = 0
    for token in tokens:
        depth += (token.token_type in _BRACKETS) - (token.token_type in _CLOSED)
        deepest = max(deepest, depth)
    if deepest > DEPTH:
        raise Refused(f"{deepest} brackets deep, the cap is {DEPTH}")
    return tokens


def _parsed(sql: str, dialect: Dialect) -> exp.Expression:
    try:
        trees = [one for one in sqlglot.parse(sql, read=dialect) if one is not None]
    except SqlglotError as error:
        raise Refused(f"it cannot be read ({_line(error)})") from None
    if len(trees) != 1:
        raise Refused(f"{len(trees)} statements")
    (tree,) = trees
    if not isinstance(tree, exp.Select | exp.SetOperation):
        raise Refused(f"{tree.key.upper()} is not a SELECT")
    return tree


def _written(
    sql: str, tokens: list[Token], tree: exp.Expression, dialect: Dialect, rows: int
) -> str:
    limit = tree.args.get("limit")
    asked = limit.expression if limit is not None else None
    if limit is not None and not (isinstance(asked, exp.Literal) and asked.name.isdecimal()):
        raise Refused("LIMIT is not a plain number")
    fits = asked is not None and int(asked.name) <= rows + 1
    if dialect == "sqlite" and not any(token.comments for token in tokens):
        ends = [token.start for token in tokens if token.token_type is TokenType.SEMICOLON]
        text = sql[: ends[0]] if ends else sql
        return text if limit is not None else f"{text.rstrip()}\nLIMIT {rows + 1}"
    if not fits:
        tree = tree.limit(rows + 1, copy=True)  # type: ignore[attr-defined]
    return tree.sql(
        dialect=dialect, comments=False, unsupported_level=ErrorLevel.RAISE, max_unsupported=1
    )


def _calls_known(text: str, dialect: Dialect) -> None:
    """Each name before a parenthesis, in the text that will run, is a known function."""
    known = FUNCTIONS[dialect] | BEFORE_PARENTHESIS
    tokens = list(sqlglot.tokenize(text, read=dialect))
    if any(token.token_type in _BRACKETS[1:] for token in tokens):
        raise Refused("lists and structs are not allowed")
    for token in _before_parentheses(tokens):
        quoted = token.token_type in (TokenType.IDENTIFIER, TokenType.STRING)
        if quoted or (re.match(r"\w", token.text) and token.text.lower() not in known):
            raise Refused(f"the function {token.text[:40]!r} is not allowed")


def _before_parentheses(tokens: list[Token]) -> Iterator[Token]:
    for one, following in pairwise(tokens):
        if following.token_type is TokenType.L_PAREN:
            yield one


def _line(error: Exception) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    return " ".join(text.split())[:120]
