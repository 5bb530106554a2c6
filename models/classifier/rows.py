"""Rows of a table as numbers: each column a number, or one column for each of its commoner values.

A missing number stays missing (NaN), a value never seen is none of the known ones. Columns whose
values hardly repeat (names, free text) tell nothing and are left out. Not here: what is learned.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Row = Mapping[str, object]
NUMERIC = 0.8  # share of a column's values that must be numbers
VALUES = 24  # values of a column that get a place, the commonest
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Columns:
    """(name, its values that have a place); a column of numbers has no values.

    `passed`: headers of columns that tell nothing, known so that none is read as part of a value.
    """

    columns: tuple[tuple[str, tuple[str, ...]], ...]
    passed: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Columns:
        """What these rows have; columns in the order in which they are first met."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        found: list[tuple[str, tuple[str, ...]]] = []
        for name in names:
            given = [row[name] for row in rows if told(row.get(name))]
            if not given:
                continue
            numbers = sum(not math.isnan(number(value)) for value in given)
            if numbers >= NUMERIC * len(given):
                found.append((name, ()))
                continue
            seen = Counter(told(value) for value in given)
            values = [value for value, times in seen.most_common(VALUES) if times > 1]
            if values:
                found.append((name, tuple(values)))
        used = {name for name, _ in found}
        return cls(tuple(found), tuple(name for name in names if name not in used))

    @property
    def names(self) -> tuple[str, ...]:
        """One name a feature, as people read it."""
        return tuple(
            one for name, values in self.columns
            for one in ([f"{name} = {value}" for value in values] or [name])
        )  # fmt: skip

    def __call__(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """(rows, features)."""
        return np.array([self._one(row) for row in rows], np.float64).reshape(len(rows), -1)

    def _one(self, row: Row) -> list[float]:
        found: list[float] = []
        for name, values in self.columns:
            said = row.get(name)
            text = told(said)
            found += [float(text == one) for one in values] if values else [number(said)]
        return found

    def read(self, text: str) -> dict[str, str]:
        """The row that stands in a text as `Header: value; ...`; empty where no header is known.

        Values may hold semicolons: only a known header begins another field.
        """
        text, used = text.strip(), [name for name, _ in self.columns]
        names = sorted((*used, *self.passed), key=len, reverse=True)
        known = "|".join(map(re.escape, names))
        places = list(re.finditer(rf"(?:^|;\s+)({known}):\s*", text, re.IGNORECASE))
        spelt = {name.casefold(): name for name in used}
        found = {}
        for place, after in zip(places, (*places[1:], None), strict=False):
            name = spelt.get(place.group(1).casefold())
            if name is not None:
                found[name] = text[place.end() : after.start() if after else len(text)].strip()
        return found


def number(value: object) -> float:
    """The value as a number, NaN where it is none; true and false are 1 and 0."""
    if isinstance(value, bool | int | float):
        return float(value) if math.isfinite(value) else math.nan
    text = told(value).removesuffix("%").strip()
    return float(text.replace(",", "")) if text and _is_number(text) else math.nan


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and any(c.isdigit() for c in re.split("[eE]", text)[0])


def told(value: object) -> str:
    """A value as text; nothing where there is none."""
    return "" if value is None else " ".join(str(value).split())


def row_text(row: Row) -> str:
    """`Header: value; ...`, as rows of tables are written as passages."""
    return "; ".join(f"{name}: {told(value)}" for name, value in row.items() if told(value))
