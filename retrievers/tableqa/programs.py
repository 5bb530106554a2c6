"""Programs over one table: which rows, and what of them; frozen values without behaviour.

A small, flat part of the lambda DCS of Pasupat and Liang (arXiv 1508.00305): every program is one
operation over a column of the rows that conditions, an order and a step choose, in that sequence.
Not here: running them (execute.py), their SQL (sql.py), which are worth trying (candidates.py).
"""

from __future__ import annotations

from dataclasses import dataclass

TESTS = ("is", "has", "not", "=", "!=", ">", ">=", "<", "<=")
STEPS = ("", "next", "previous", "below", "above", "same")
LISTED = ("cells", "year", "number", "frequent", "rare", "more", "fewer")  # give cells of the table
COUNTED = ("count", "distinct", "streak")  # streak: the longest run of neighbouring rows
REDUCED = ("sum", "mean", "max", "min", "range")
PAIRED = ("difference", "count_difference", "count_sum", "total")  # over rows and others


@dataclass(frozen=True, slots=True)
class Where:
    """A condition. test: is, not (whole normal text), has (words of it), or a comparison.

    value: text for is, has and not; a number for the others, compared with the column's keys, and
    with its years when the column holds dates.
    """

    column: int
    test: str
    value: str | float


@dataclass(frozen=True, slots=True)
class Order:
    """Keep the rows of the largest or smallest key; column -1: the last or first row."""

    column: int
    largest: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the table: all, those that meet the conditions, then one of them, then a step.

    either: one condition is enough. step: next or previous row, all below or above, or the others
    that have the same cell in `step_column`.
    """

    where: tuple[Where, ...] = ()
    either: bool = False
    order: Order | None = None
    step: str = ""
    step_column: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """One operation (LISTED, COUNTED, REDUCED or PAIRED) over a column of rows.

    other: the second rows of PAIRED operations and of more and fewer.
    """

    op: str
    column: int
    rows: Rows
    other: Rows | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """values: cells as the table writes them, or computed numbers; empty: no answer.

    rows, columns: what the values were read from.
    """

    values: tuple[str, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
