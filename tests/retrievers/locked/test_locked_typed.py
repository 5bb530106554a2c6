"""Known answers: what columns of strings become. DuckDB runs the SQL, in this process."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import duckdb
import pytest

from retrievers.locked.typed import Typed, names, typed

DATE = datetime.date


def column(cells: Sequence[str | None]) -> tuple[Typed, list[Any], list[Any]]:
    """(decision, values, shadow's values) of one column."""
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute("CREATE TABLE raw AS SELECT unnest(?::VARCHAR[]) AS x", [list(cells)])
        (found,) = typed(lambda sql: connection.execute(sql).fetchone() or (), "raw", ["x"])
        rows = connection.execute(f"SELECT {found.sql}, {found.shadow or 'NULL'} FROM raw")
        values, shadows = zip(*rows.fetchall(), strict=True)
    return found, list(values), list(shadows)


@pytest.mark.parametrize(
    ("cells", "type_", "values", "unit"),
    [
        (["1", "2", "-3"], "BIGINT", [1, 2, -3], ""),
        (["1,234", "12,345,678", "5"], "BIGINT", [1234, 12345678, 5], ""),
        (["1 234", "5\u00a0678", "9\u202f000"], "BIGINT", [1234, 5678, 9000], ""),
        (["1'234", "5’678.5"], "DOUBLE", [1234.0, 5678.5], ""),
        (["1.5", ".25", "2e3", "1E-2"], "DOUBLE", [1.5, 0.25, 2000.0, 0.01], ""),
        (["1.234,56", "7,5", "1.000"], "DOUBLE", [1234.56, 7.5, 1000.0], ""),
        (["(5)", "(1,200.5)", "3"], "DOUBLE", [-5.0, -1200.5, 3.0], ""),
        (["−7", "–8", "+9"], "BIGINT", [-7, -8, 9], ""),
        (["12%", "3.5 %"], "DOUBLE", [12.0, 3.5], "%"),
        (["$5", "$1,000", "-$3", "($4)"], "BIGINT", [5, 1000, -3, -4], "$"),
        (["EUR 5", "6 eur"], "BIGINT", [5, 6], "EUR"),
        (["$5", "7"], "BIGINT", [5, 7], "$"),
        (["5", "", "-", "n/a", "—", None], "BIGINT", [5, None, None, None, None, None], ""),
        (["1999", "2004"], "BIGINT", [1999, 2004], ""),
        (["2021-05-03", "2021/05/04"], "DATE", [DATE(2021, 5, 3), DATE(2021, 5, 4)], ""),
        (["3 May 2021", "May 4, 2021"], "DATE", [DATE(2021, 5, 3), DATE(2021, 5, 4)], ""),
        (["03.05.2021", "04.12.2021"], "DATE", [DATE(2021, 5, 3), DATE(2021, 12, 4)], ""),
        (["03/05/2021", "31/05/2021"], "DATE", [DATE(2021, 5, 3), DATE(2021, 5, 31)], ""),
        (["03/05/2021", "05/31/2021"], "DATE", [DATE(2021, 3, 5), DATE(2021, 5, 31)], ""),
        (["2021-05-03 10:30:00"], "TIMESTAMP", [datetime.datetime(2021, 5, 3, 10, 30)], ""),
    ],
)
def test_a_column_of_one_mind_is_typed(
    cells: list[str | None], type_: str, values: list[Any], unit: str
) -> None:
    found, got, _ = column(cells)
    assert (found.type, got, found.unit) == (type_, values, unit)
    assert found.shadow is None


@pytest.mark.parametrize(
    "cells",
    [
        ["00123", "10001"],  # codes
        ["03/05/2021", "04/06/2021"],  # March or May?
        ["$5", "€6"],  # not to be summed
        ["555 1234", "555 9876"],  # telephones: no groups of three
        ["1,23", "4,5,6"],
        ["(5", "6)"],
        ["1-2", "3-4"],
        ["a", "b", ""],
        ["", "-", "n/a"],
        ["5 million", "6 million"],
        ["03/05/21", "31/05/21"],
        ["2021-02-30"],
        ["1.2.3"],
        ["0x10", "1_000"],
    ],
)
def test_what_could_be_misread_stays_text(cells: list[str]) -> None:
    found, got, _ = column(cells)
    assert (found.type, found.shadow, got) == ("VARCHAR", None, cells)


def test_a_mixed_column_stays_text_and_casts_a_shadow() -> None:
    found, got, shadow = column(["5", "1,000", "about 7", "3"])
    assert found.type == "VARCHAR" and got == ["5", "1,000", "about 7", "3"]
    assert shadow == [5.0, 1000.0, None, 3.0]


def test_a_long_column_is_typed_by_all_of_its_cells_not_by_its_sample() -> None:
    days = [f"{i % 28 + 1} May 2021" for i in range(20_000)]
    assert column(days)[0].type == "DATE"
    assert column([*days, "soon"])[0].type == "VARCHAR"
    assert column([*(["5"] * 20_000), "5.5"])[0].type == "DOUBLE"


def test_few_numbers_among_text_cast_none() -> None:
    assert column(["5", "x", "y"])[0].shadow is None


def test_headers_become_names_that_differ() -> None:
    given = ["Year", "", "year", "a\n b", "YEAR", "year_2"]
    assert names(given) == ["Year", "column_2", "year_2", "a b", "YEAR_3", "year_2_2"]
