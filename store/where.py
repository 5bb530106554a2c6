"""The metadata filter of ``--where``: ``year >= 2020 and (team = "sales" or tags contains "x")``.

A tiny grammar of our own, turned into bound SQL parameters: nothing of the text reaches SQL
as SQL. Fields are metadata keys of documents; `id`, `title`, `source` and `type` mean the
document's own where its metadata has no such key. Not here: comparisons (matching.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from pilotfish.errors import InputError
from store.matching import Value, compare, literal_value
from store.schema import documents, passages

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op><=|>=|!=|==|=|<|>|\(|\)|,)"""
    r"""|(?P<word>[^\s"'<>=!(),]+))"""
)
_MOST = 800
_EXAMPLE = "write it like: year >= 2020 and team = 'sales'"


def compile_where(text: str, dialect: str = "sqlite") -> ColumnElement[bool]:
    """The filter as an SQL condition on `documents`; InputError names the place and the mend."""
    tokens = _tokens(text)
    if len(tokens) > _MOST:  # SQLite takes expressions at most 1000 deep
        raise InputError(f"the filter has {len(tokens)} words and signs, over {_MOST}: shorten it")
    parser = _Parser(text, tokens, dialect)
    condition = parser.either()
    if parser.at < len(parser.tokens):
        raise parser.error(f"unexpected {parser.tokens[parser.at][1]!r}")
    return condition


def allowed(connection: Connection, collection_id: int, where: str) -> list[int]:
    """Ids of the passages whose document passes the filter, ascending."""
    query = (
        select(passages.c.id)
        .join_from(passages, documents, documents.c.id == passages.c.document_id)
        .where(
            passages.c.collection_id == collection_id, compile_where(where, connection.dialect.name)
        )
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
    dialect: str
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
            return compare(field, "=", self.values(), self.dialect)
        if operator not in {"=", "==", "!=", "<", "<=", ">", ">=", "contains"}:
            raise self.error(f"{operator!r} is no comparison (= != < <= > >= in contains)")
        return compare(field, operator.replace("==", "="), [self.value()], self.dialect)

    def value(self) -> Value:
        kind, token = self.take()
        if kind == "op":
            raise self.error(f"a value should stand where {token!r} stands")
        return Value(_unquote(kind, token)) if kind == "string" else literal_value(token)

    def values(self) -> list[Value]:
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
