"""Columns of strings become typed DuckDB columns: numbers, dates; what is mixed stays text.

A column is a number when each cell is one: thousands separators, a currency, a percent sign
(12.5% is 12.5, its unit is '%'), negatives in parentheses, decimal points or commas as most of
the column has it. 60 % of numbers in a text column get a shadow column `<name>_number`. Codes with
leading zeros stay text, and so do dates that read differently day first and month first.
Not here: loading the strings (`duck`), scaling words (5 million), years of two digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from retrievers.locked.engine import quoted

Ask = Callable[[str], Sequence[Any]]
SHADOW = 0.6
_SAMPLE = 5_000  # rows; where they are fewer, all are read at once
_EMPTY = "'', '-', '–', '—', 'n/a', 'na', 'null', 'none', 'nan', '?'"
_UNIT = r"[$€£¥₹%]|\b(?:USD|EUR|GBP|CHF|JPY|CNY|INR)\b"
_GAP = r"[,\x{0020}\x{00a0}\x{202f}''’]"
_POINT = rf"(\d{{1,3}}({_GAP}\d{{3}})+|\d+)(\.\d*)?([eE][-+]?\d+)?|\.\d+"
_POINT_WHOLE = rf"\d{{1,3}}({_GAP}\d{{3}})+|\d+"
_NOISE, _COMMA_NOISE = r"[^-0-9.eE]", r"[^-0-9,]"
_COMMA = r"(\d{1,3}([.\x{0020}\x{00a0}\x{202f}''’]\d{3})+|\d+)(,\d+)?"
_YEAR = r"\b(1[5-9]|2[01])\d\d\b"
_PLAIN = ("%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
          "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y",
          "%d-%b-%Y", "%d-%B-%Y")  # fmt: skip
_DAY = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%Y %H:%M")
_MONTH = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%Y %H:%M")
_FORMATS = (*_PLAIN, *_DAY, *_MONTH)
_EXACT = 2.0**53  # beyond it a double no longer tells neighbouring integers apart


@dataclass(frozen=True, slots=True)
class Profile:
    """How many cells of a column read as what; `cells` are those that say anything.

    `whole`: without decimals; `largest`: in magnitude; `zeros`: leading ones; `units`: how many
    different ones; `day`, `month`: dates if slashes are day first, or month first.
    """

    cells: int = 0
    point: int = 0
    comma: int = 0
    whole: int = 0
    largest: float = 0.0
    zeros: int = 0
    units: int = 0
    unit: str = ""
    plain: int = 0
    day: int = 0
    month: int = 0
    clocks: int = 0


@dataclass(frozen=True, slots=True)
class Typed:
    """A column as it will be: type, the SQL that makes it of the string, unit, shadow's SQL."""

    name: str
    type: str
    sql: str
    unit: str = ""
    shadow: str | None = None


def typed(ask: Ask, table: str, columns: Sequence[str]) -> list[Typed]:
    """Decide the type of each string column of a table; `ask` runs SQL and gives one row.

    A column whose sample is plainly text is not read further, and the others only for the ways
    of writing dates that the sample has: trying all of them takes seconds a million cells.
    """
    rows = f"reservoir({_SAMPLE} ROWS) REPEATABLE (7)"
    sample = f"(SELECT * FROM {quoted(table)} USING SAMPLE {rows})"
    found = {one.name: one for one in _decided(ask, sample, dict.fromkeys(columns, _FORMATS))}
    further = {
        name: _formats_in(ask, sample, name) if one.type in ("DATE", "TIMESTAMP") else ()
        for name, one in found.items()
        if one.type != "VARCHAR" or one.shadow
    }
    return list((found | {one.name: one for one in _decided(ask, quoted(table), further)}).values())


def decide(name: str, found: Profile, formats: Sequence[str] = _FORMATS) -> Typed:
    """The type that all cells of a column agree on, else text."""
    column, cells = quoted(name), found.cells
    comma = found.comma > found.point
    numbers = found.comma if comma else found.point
    summable = cells > 0 and not found.zeros and found.units <= 1
    if summable and numbers == cells:
        if found.whole == cells and found.largest < _EXACT:
            return Typed(name, "BIGINT", f"CAST({_number(column, comma)} AS BIGINT)", found.unit)
        return Typed(name, "DOUBLE", _number(column, comma), found.unit)
    ambiguous = found.day == found.month and found.plain < cells
    if cells and cells in (found.day, found.month) and not ambiguous:
        not_these = _MONTH if found.day == cells else _DAY
        date = _date(column, [one for one in formats if one not in not_these])
        type_ = "TIMESTAMP" if found.clocks else "DATE"
        return Typed(name, type_, f"CAST({date} AS {type_})")
    if summable and numbers >= max(SHADOW * cells, 1):
        return Typed(name, "VARCHAR", column, found.unit, _number(column, comma))
    return Typed(name, "VARCHAR", column)


def names(given: Sequence[str]) -> list[str]:
    """Headers as column names: none is empty, none occurs twice (DuckDB folds case)."""
    taken: set[str] = set()
    found = []
    for place, header in enumerate(given, 1):
        name = wanted = " ".join(header.split())[:120] or f"column_{place}"
        count = 1
        while name.lower() in taken:
            count += 1
            name = f"{wanted}_{count}"
        taken.add(name.lower())
        found.append(name)
    return found


def _decided(ask: Ask, source: str, columns: Mapping[str, Sequence[str]]) -> Iterator[Typed]:
    """One pass over `source` for all columns (name -> formats of dates to try)."""
    if not columns:
        return
    shown = (_measures(quoted(name), formats) for name, formats in columns.items())
    measured = ask(f"SELECT {', '.join(shown)} FROM {source}")
    none, width = astuple(Profile()), len(fields(Profile))
    for place, (name, formats) in enumerate(columns.items()):
        part = measured[place * width : (place + 1) * width]
        found = (value or default for value, default in zip(part, none, strict=True))
        yield decide(name, Profile(*found), formats)


def _formats_in(ask: Ask, source: str, name: str) -> list[str]:
    """The formats that any cell of a column is written in."""
    counts = ask(
        f"SELECT {', '.join(f'count({_date(quoted(name), [one])})' for one in _FORMATS)} "
        f"FROM {source}"
    )
    return [one for one, count in zip(_FORMATS, counts, strict=True) if count]


def _measures(column: str, formats: Sequence[str]) -> str:
    """SQL of one Profile, field by field."""
    bare = _bare(column)
    point, comma = _matches(bare, _POINT), _matches(bare, _COMMA)
    plain, day, month = (
        _date(column, [one for one in kind if one in formats]) for kind in (_PLAIN, _DAY, _MONTH)
    )
    unit = f"upper(nullif(regexp_extract({column}, '(?i){_UNIT}'), ''))"
    any_date = f"coalesce({plain}, {day}, {month})"
    return ", ".join(
        (
            f"count(*) FILTER ({_says(column)})",
            f"count(*) FILTER ({point})",
            f"count(*) FILTER ({comma})",
            f"count(*) FILTER ({_matches(bare, _POINT_WHOLE)})",
            f"max(abs({_number(column, False)}))",
            f"count(*) FILTER (regexp_matches({bare}, '^0[0-9]'))",
            f"count(DISTINCT {unit})",
            f"min({unit})",
            f"count({plain})",
            f"count(coalesce({plain}, {day}))",
            f"count(coalesce({plain}, {month}))",
            f"count(*) FILTER ({any_date} <> date_trunc('day', {any_date}))",
        )
    )


def _says(column: str) -> str:
    return f"({column} IS NOT NULL AND lower(trim({column})) NOT IN ({_EMPTY}))"


def _bare(column: str) -> str:
    """The cell without its unit, with one kind of minus."""
    minus = f"replace(replace(trim({column}), '−', '-'), '–', '-')"
    return f"regexp_replace({minus}, '(?i)\\s*({_UNIT})\\s*', '', 'g')"


def _matches(bare: str, number: str) -> str:
    return f"regexp_full_match({bare}, '[-+]?\\s*({number})|\\(\\s*({number})\\s*\\)')"


def _number(column: str, comma: bool) -> str:
    """The cell as DOUBLE, NULL where it is none."""
    bare = _bare(column)
    digits = f"regexp_replace({bare}, '{_COMMA_NOISE if comma else _NOISE}', '', 'g')"
    if comma:
        digits = f"replace({digits}, ',', '.')"
    sign = f"CASE WHEN {bare} LIKE '(%' THEN -1 ELSE 1 END"
    fits = _matches(bare, _COMMA if comma else _POINT)
    return f"CASE WHEN {fits} THEN {sign} * TRY_CAST({digits} AS DOUBLE) END"


def _date(column: str, formats: Sequence[str]) -> str:
    """The cell as TIMESTAMP, NULL where it is no date with a year of four digits."""
    if not formats:
        return "CAST(NULL AS TIMESTAMP)"
    listed = ", ".join(f"'{one}'" for one in formats)
    return (
        f"CASE WHEN regexp_matches({column}, '{_YEAR}') "
        f"THEN try_strptime(trim({column}), [{listed}]) END"
    )
