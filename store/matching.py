"""One comparison of a metadata filter as SQL: `field operator value` on `documents`.

Not here: the grammar of filters (where.py), and how SQLite and Postgres look into JSON
(json_sqlite.py, json_postgres.py: the same functions twice).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, or_, select

from store import json_postgres, json_sqlite
from store.schema import documents

_COLUMNS = {
    "id": documents.c.key,
    "title": documents.c.title,
    "source": documents.c.source,
    "type": documents.c.media_type,
}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_INTEGER = re.compile(r"[-+]?\d{1,19}")


@dataclass(frozen=True, slots=True)
class Value:
    """A literal of a filter: as it was written, and its number if it is one."""

    text: str
    number: int | float | None = None


def literal_value(token: str) -> Value:
    """An unquoted literal. Whole numbers of 64 bits are exact; longer ones are floats."""
    if token.lower() in {"true", "false"}:
        return Value(token.lower())
    if not _NUMBER.fullmatch(token):
        return Value(token)
    if _INTEGER.fullmatch(token) and abs(int(token)) < 2**63:
        return Value(token, int(token))
    return Value(token, float(token))


def compare(
    field: str, operator: str, values: Sequence[Value], dialect: str = "sqlite"
) -> ColumnElement[bool]:
    """The comparison with the metadata key, else with the column so named; "=" takes many values.

    A document without the key (or with null there) matches nothing, not even `!=`.
    """
    json: Any = json_postgres if dialect == "postgresql" else json_sqlite
    own = json.entries()
    is_field = and_(own.c.key == field, json.is_given(own))
    in_metadata = _exists(own, is_field, _matches(json, own, operator, values))
    column = _COLUMNS.get(field)
    if column is None:
        return in_metadata
    in_column = _column_matches(json, column, operator, values)
    return case((_exists(own, is_field), in_metadata), else_=in_column)


def _column_matches(
    json: Any, column: Any, operator: str, values: Sequence[Value]
) -> ColumnElement[bool]:
    """Columns are text: `id = 12` is the id "12" and no other."""
    texts = [value.text for value in values]
    if operator == "=":
        return _is_one_of(column, texts)
    if operator == "contains":
        return _truth(json.contains(column, *texts))
    return _apply(column, operator, *texts)


def _matches(json: Any, own: Any, operator: str, values: Sequence[Value]) -> ColumnElement[bool]:
    """The comparison with one metadata value: by number where both are numbers, else by text."""
    if operator in {"=", "!="}:
        equal = _equals(json, own, values)
        return equal if operator == "=" else not_(func.coalesce(equal, False))
    (value,) = values
    if operator == "contains":
        each = json.elements(own)
        return _exists(each, json.contains(json.as_text(each), value.text))
    if value.number is not None:
        return _apply(json.as_number(own), operator, value.number)
    return _apply(json.as_text(own), operator, value.text)


def _equals(json: Any, own: Any, values: Sequence[Value]) -> ColumnElement[bool]:
    by_text = _is_one_of(json.as_text(own), [value.text for value in values])
    numbers = [value.number for value in values if value.number is not None]
    return or_(by_text, _is_one_of(json.as_number(own), numbers)) if numbers else by_text


def _is_one_of(left: Any, values: Sequence[str | int | float]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = left.in_(values)
    return found


def _apply(left: Any, operator: str, right: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = {
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }[operator]()
    return found


def _truth(condition: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = condition
    return found


def _exists(rows: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(1).select_from(rows).where(*conditions))
