"""The metadata filter of ``--where``: ``year >= 2020 and (team = "sales" or tags contains "x")``.

A tiny grammar of our own, turned into bound SQL parameters: nothing of the text reaches SQL
as SQL. Fields are metadata keys of documents, and `id`, `title`, `source`, `type`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    not_,
    or_,
    select,
)

from pilotfish.errors import InputError
from store.schema import documents, passages

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op><=|>=|!=|==|=|<|>|\(|\)|,)"""
    r"""|(?P<word>[^\s"'<>=!(),]+))"""
)
_COLUMNS = {
    "id": documents.c.key,
    "title": documents.c.title,
    "source": documents.c.source,
    "type": documents.c.media_type,
}
_MOST = 800
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_EXAMPLE = "write it like: year >= 2020 and team = 'sales'"


def compile_where(text: str) -> ColumnElement[bool]:
    """The filter as an SQL condition on `documents`; InputError names the place and the mend."""
    tokens = _tokens(text)
    if len(tokens) > _MOST:  # SQLite takes expressions at most 1000 deep
        raise InputError(f"the filter has {len(tokens)} words and signs, over {_MOST}: shorten it")
    parser = _Parser(text, tokens)
    condition = parser.either()
    if parser.at < len(parser.tokens):
        raise parser.error(f"unexpected {parser.tokens[parser.at][1]!r}")
    return condition


def allowed(connection: Connection, collection_id: int, where: str) -> list[int]:
    """Ids of the passages whose document passes the filter, ascending."""
    query = (
        select(passages.c.id)
        .join_from(passages, documents, documents.c.id == passages.c.document_id)
        .where(passages.c.collection_id == collection_id, compile_where(where))
        .order_by(passages.c.id)
    )
    return list(connection.scalars(query))


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    if re.search("[\ud800-\udfff]", text):  # half a character, out of undecodable bytes
        raise InputError(f"filter {text!r} cannot be read: it is not valid Unicode: {_EXAMPLE}")
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise InputError(f"filter {text!r} cannot be read at {text[at:].strip()!r}: {_EXAMPLE}")
        tokens.append((str(match.lastgroup), match.group().strip()))
        at = match.end()
    return tokens


@dataclass(slots=True)
class _Parser:
    """Recursive descent: either := both (or both)*, both := one (and one)*."""

    text: str
    tokens: list[tuple[str, str]]
    at: int = 0
    depth: int = 0

    def error(self, what: str) -> InputError:
        return InputError(f"filter {self.text!r}: {what}: {_EXAMPLE}")

    def peek(self) -> str:
        return self.tokens[self.at][1].lower() if self.at < len(self.tokens) else ""

    def take(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise self.error("ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def either(self) -> ColumnElement[bool]:
        parts = [self.both()]
        while self.peek() == "or":
            self.take()
            parts.append(self.both())
        return or_(*parts)

    def both(self) -> ColumnElement[bool]:
        parts = [self.one()]
        while self.peek() == "and":
            self.take()
            parts.append(self.one())
        return and_(*parts)

    def one(self) -> ColumnElement[bool]:
        if self.peek() == "not":
            return self.negated()
        if self.peek() == "(":
            return self.group()
        kind, field = self.take()
        if kind == "op":
            raise self.error(f"a field name should stand where {field!r} stands")
        return self.compare(_unquote(kind, field))

    def negated(self) -> ColumnElement[bool]:
        self.deeper()
        inside = not_(func.coalesce(self.one(), False))
        self.depth -= 1
        return inside

    def group(self) -> ColumnElement[bool]:
        self.deeper()
        inside = self.either()
        if self.take()[1] != ")":
            raise self.error("a closing ) is missing")
        self.depth -= 1
        return inside

    def deeper(self) -> None:
        """Past a `not` or an opening bracket."""
        self.take()
        self.depth += 1
        if self.depth > 20:  # SQLite's own parser overflows soon after
            raise self.error("nested more than 20 deep")

    def compare(self, field: str) -> ColumnElement[bool]:
        operator = self.take()[1].lower()
        if operator == "in":
            return or_(*[_compare(field, "=", value) for value in self.values()])
        if operator not in {"=", "==", "!=", "<", "<=", ">", ">=", "contains"}:
            raise self.error(f"{operator!r} is no comparison (= != < <= > >= in contains)")
        return _compare(field, operator.replace("==", "="), self.value())

    def value(self) -> Any:
        kind, token = self.take()
        if kind == "op":
            raise self.error(f"a value should stand where {token!r} stands")
        return _literal(kind, token)

    def values(self) -> list[Any]:
        if self.take()[1] != "(":
            raise self.error("'in' needs a list in brackets")
        found = [self.value()]
        while self.peek() == ",":
            self.take()
            found.append(self.value())
        if self.take()[1] != ")":
            raise self.error("a closing ) is missing")
        return found


def _unquote(kind: str, token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if kind == "string" else token


def _literal(kind: str, token: str) -> Any:
    if kind == "string":
        return _unquote(kind, token)
    if token.lower() in {"true", "false"}:
        return token.lower() == "true"
    return float(token) if _NUMBER.fullmatch(token) else token


def _compare(field: str, operator: str, value: Any) -> ColumnElement[bool]:
    """The comparison with a column, or with the metadata key of that very name if it is there."""
    column = _COLUMNS.get(field)
    if column is not None:
        return _holds(column, operator, _shown(value) if isinstance(value, bool) else value)
    own = func.json_each(documents.c.metadata).table_valued("key", "value", "type")
    condition = _holds(own.c.value, operator, value)
    if operator == "contains":
        condition = _any_holds(own, operator, value)
    elif isinstance(value, bool):
        condition = own.c.type.in_(("true", "false")) & _apply(own.c.value, operator, int(value))
    return exists(select(1).select_from(own).where(own.c.key == field, condition))


def _any_holds(own: Any, operator: str, value: Any) -> ColumnElement[bool]:
    """Whether the comparison holds for the value, or for an element of the list that it is."""
    several = own.c.type.in_(("array", "object"))
    as_list = case((several, own.c.value), else_=func.json_array(own.c.value))
    each = func.json_each(as_list).table_valued("value")
    return exists(select(1).select_from(each).where(_holds(each.c.value, operator, value)))


def _holds(stored: Any, operator: str, value: Any) -> ColumnElement[bool]:
    as_text = cast(stored, Text)
    if operator == "contains":  # lower() on both sides: SQLite folds ASCII only
        needle = func.lower(str(_shown(value)))
        return func.instr(func.lower(as_text), needle, type_=Integer) > 0
    if isinstance(value, float):
        numeric = as_text.op("GLOB")("[-+.0-9]*")
        return and_(numeric, _apply(cast(stored, Float), operator, value))
    return _apply(as_text, operator, value)


def _shown(value: Any) -> Any:
    """As a person writes it: 2020 for 2020.0, true for True."""
    if isinstance(value, bool):
        return str(value).lower()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _apply(left: Any, operator: str, right: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = {
        "=": lambda: left == right,
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }[operator]()
    return found
