"""How SQLite looks into JSON, for filters (matching.py): json_each, json_type, instr.

The same functions for Postgres: json_postgres.py.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Numeric,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    type_coerce,
)

from store.schema import documents

EXACT = 18  # characters: a longer text of digits is a name, which 64 bits would round


def entries() -> Any:
    """key, value, type of a document's metadata; no rows where it is no JSON (NaN, say)."""
    raw = type_coerce(documents.c.metadata, Text)
    sound = case((func.json_valid(raw) == 1, raw), else_=literal("{}", Text))
    return func.json_each(sound).table_valued("key", "value", "type")


def is_given(own: Any) -> ColumnElement[bool]:
    """Not null."""
    found: ColumnElement[bool] = own.c.type != "null"
    return found


def elements(own: Any) -> Any:
    """value, type of each element of a list or object; of any other value, itself."""
    several = own.c.type.in_(("array", "object"))
    as_list = case((several, own.c.value), else_=func.json_array(as_text(own)))
    return func.json_each(as_list).table_valued("value", "type")


def as_text(own: Any) -> ColumnElement[str]:
    """A value as a person writes it: json_each gives 1 and 0 for true and false."""
    return case((own.c.type.in_(("true", "false")), own.c.type), else_=cast(own.c.value, Text))


def as_number(own: Any) -> ColumnElement[Any]:
    """A number, or a text that is one from end to end ("2021", not "12abc"); else null."""
    text = cast(own.c.value, Text)
    whole = and_(own.c.type == "text", func.length(text) <= EXACT, func.json_valid(text) == 1)
    of_text = case((func.json_type(text).in_(("integer", "real")), cast(text, Numeric)))
    return case((own.c.type.in_(("integer", "real")), own.c.value), (whole, of_text))


def contains(text: Any, needle: str) -> ColumnElement[bool]:
    """lower() on both sides: SQLite folds ASCII only."""
    found: ColumnElement[bool] = func.instr(func.lower(text), func.lower(needle), type_=Integer) > 0
    return found
