"""Each operation gives the known answer, and its SQL gives the same in SQLite."""

from __future__ import annotations

import sqlite3

import pytest
from table_examples import COLUMNS, ROWS, medals

from retrievers.tableqa.denotation import denotation
from retrievers.tableqa.execute import execute
from retrievers.tableqa.frame import ROW, Frame
from retrievers.tableqa.programs import (
    COUNTED,
    LISTED,
    PAIRED,
    REDUCED,
    Order,
    Program,
    Rows,
    Where,
)
from retrievers.tableqa.sql import names, sql

NORWAY, GERMANY = Where(1, "is", "norway"), Where(1, "is", "germany")
BERLIN = Where(4, "is", "berlin")
CASES = [
    (Program("cells", 4, Rows((NORWAY,))), ("Oslo",)),
    (Program("cells", 1, Rows((BERLIN,))), ("Germany", "Austria")),
    (Program("cells", 1, Rows((Where(4, "has", "berlin"),))), ("Germany", "Austria")),
    (Program("cells", 1, Rows((Where(2, ">", 5.0),))), ("Norway", "Germany")),
    (Program("cells", 1, Rows((Where(2, ">=", 8.0),))), ("Norway", "Germany")),
    (Program("cells", 1, Rows((Where(2, "<", 5.0),))), ("Austria",)),
    (Program("cells", 1, Rows((Where(2, "<=", 2.0),))), ("Austria",)),
    (Program("cells", 1, Rows((Where(2, "=", 5.0),))), ("Russia", "Japan")),
    (Program("cells", 1, Rows((Where(2, "!=", 5.0), BERLIN))), ("Germany", "Austria")),
    (Program("count", 0, Rows((Where(4, "not", "berlin"),))), ("3",)),
    (Program("count", 0, Rows()), ("5",)),
    (Program("streak", 0, Rows((Where(2, ">", 4.0),))), ("4",)),
    (Program("distinct", 4, Rows()), ("4",)),
    (Program("cells", 1, Rows(order=Order(2, True))), ("Norway",)),
    (Program("cells", 1, Rows(order=Order(3, False))), ("Austria",)),
    (Program("cells", 1, Rows((BERLIN,), order=Order(ROW, True))), ("Austria",)),
    (Program("cells", 1, Rows(order=Order(ROW, False))), ("Norway",)),
    (Program("cells", 1, Rows((NORWAY, GERMANY), True, Order(3, True))), ("Germany",)),
    (Program("cells", 1, Rows((GERMANY,), step="next")), ("Russia",)),
    (Program("cells", 1, Rows((GERMANY,), step="previous")), ("Norway",)),
    (Program("count", 0, Rows((GERMANY,), step="below")), ("3",)),
    (Program("count", 0, Rows((GERMANY,), step="above")), ("1",)),
    (Program("cells", 1, Rows((GERMANY,), step="same", step_column=4)), ("Austria",)),
    (Program("sum", 2, Rows()), ("30",)),
    (Program("mean", 2, Rows()), ("6",)),
    (Program("max", 2, Rows()), ("10",)),
    (Program("min", 2, Rows((BERLIN,))), ("2",)),
    (Program("range", 2, Rows()), ("8",)),
    (Program("frequent", 4, Rows()), ("Berlin",)),
    (Program("rare", 2, Rows((Where(2, "<", 6.0),))), ("2",)),
    (Program("difference", 3, Rows((NORWAY,)), Rows((GERMANY,))), ("3",)),
    (Program("total", 3, Rows((NORWAY,)), Rows((GERMANY,))), ("11",)),
    (Program("count_difference", 0, Rows((NORWAY,)), Rows((BERLIN,))), ("1",)),
    (Program("count_sum", 0, Rows((NORWAY,)), Rows((BERLIN,))), ("3",)),
    (Program("more", 4, Rows((BERLIN,)), Rows((Where(4, "is", "oslo"),))), ("Berlin",)),
    (Program("fewer", 4, Rows((BERLIN,)), Rows((Where(4, "is", "oslo"),))), ("Oslo",)),
    (Program("number", 2, Rows((NORWAY,))), ("10",)),
]


@pytest.mark.parametrize(("program", "values"), CASES, ids=lambda case: getattr(case, "op", ""))
def test_each_operation_gives_the_known_answer(program: Program, values: tuple[str, ...]) -> None:
    assert execute(program, medals()).values == values


@pytest.mark.parametrize(("program", "values"), CASES, ids=lambda case: getattr(case, "op", ""))
def test_the_sql_gives_what_the_program_gives(program: Program, values: tuple[str, ...]) -> None:
    frame = medals()
    with sqlite3.connect(":memory:") as database:
        columns = ", ".join(f'"{name}" TEXT' for name in names(frame))
        database.execute(f"CREATE TABLE t (row INTEGER, {columns})")
        marks = ", ".join("?" * (1 + len(COLUMNS)))
        database.executemany(
            f"INSERT INTO t VALUES ({marks})", [(i, *row) for i, row in enumerate(ROWS)]
        )
        told = [str(value) for (value,) in database.execute(sql(program, frame))]
    database.close()
    assert denotation(told) == denotation(values)


def test_every_operation_has_a_known_answer_here() -> None:
    known = {program.op for program, _ in CASES} | {"year"}
    assert known == {*LISTED, *COUNTED, *REDUCED, *PAIRED}


def test_a_result_says_where_it_was_read() -> None:
    result = execute(Program("cells", 1, Rows((BERLIN,))), medals())
    assert (result.rows, result.columns) == ((1, 4), (1,))


def test_no_rows_give_no_cells_and_a_count_of_nothing() -> None:
    nowhere = Rows((Where(1, "is", "atlantis"),))
    assert execute(Program("cells", 1, nowhere), medals()).values == ()
    assert execute(Program("sum", 2, nowhere), medals()).values == ()
    assert execute(Program("count", 0, nowhere), medals()).values == ("0",)


def test_a_step_beyond_the_table_gives_nothing() -> None:
    assert execute(Program("cells", 1, Rows((NORWAY,), step="previous")), medals()).values == ()


def test_dates_are_compared_and_told_by_their_years() -> None:
    frame = Frame.of(["Event", "Day"], [["a", "3 May 2001"], ["b", "1 June 2005"]])
    assert execute(Program("cells", 0, Rows((Where(1, ">", 2003.0),))), frame).values == ("b",)
    assert execute(Program("year", 1, Rows((Where(0, "is", "a"),))), frame).values == ("2001",)
    assert execute(Program("range", 1, Rows()), frame).values == ("4",)


def test_column_names_of_the_sql_are_unique_and_never_the_ordinal() -> None:
    frame = Frame.of(["row", "A", "A", ""], [["1", "2", "3", "4"]])
    found = names(frame)
    assert len(set(found)) == 4
    assert "row" not in found
