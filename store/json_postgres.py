"""How Postgres looks into JSON, for filters (matching.py): jsonb_each, jsonb_typeof, strpos.

The same functions for SQLite: json_sqlite.py.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Numeric, Text, and_, case, cast, column, func, literal_column
from sqlalchemy.dialects.postgresql import JSONB

from store.json_sqlite import EXACT
from store.schema import documents

_WHOLE = r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"


def entries() -> Any:
    """key, value of a document's metadata."""
    metadata = cast(documents.c.metadata, JSONB)
    return func.jsonb_each(metadata).table_valued(column("key", Text), column("value", JSONB))


def is_given(own: Any) -> ColumnElement[bool]:
    """Not null."""
    return _kind(own) != "null"


def elements(own: Any) -> Any:
    """value of each element of a list or object; of any other value, itself."""
    value = own.c.value
    as_list = case(
        (_kind(own) == "array", value),
        (_kind(own) == "object", func.jsonb_path_query_array(value, literal_column("'$.*'"))),
        else_=func.jsonb_build_array(value),
    )
    return func.jsonb_array_elements(as_list).table_valued(column("value", JSONB))


def as_text(own: Any) -> ColumnElement[str]:
    """A value as a person writes it."""
    found: ColumnElement[str] = own.c.value.op("#>>", return_type=Text())(literal_column("'{}'"))
    return found


def as_number(own: Any) -> ColumnElement[Any]:
    """A number, or a text that is one from end to end ("2021", not "12abc"); else null."""
    text = as_text(own)
    whole = and_(_kind(own) == "string", func.length(text) <= EXACT, text.regexp_match(_WHOLE))
    return case((_kind(own) == "number", cast(text, Numeric)), (whole, cast(text, Numeric)))


def contains(text: Any, needle: str) -> ColumnElement[bool]:
    """Whether the text holds the needle, in any case."""
    found: ColumnElement[bool] = func.strpos(func.lower(text), func.lower(needle)) > 0
    return found


def _kind(own: Any) -> ColumnElement[str]:
    return func.jsonb_typeof(own.c.value, type_=Text)
