"""Typing of cells and columns."""

from __future__ import annotations

import pytest

from retrievers.tableqa.cells import read
from retrievers.tableqa.frame import Frame
from retrievers.tableqa.words import stem


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5 km", 5),
        ("1,234.5 (est.)", 1234.5),
        ("(300)", -300),
        ("1st", 1),
        ("$1.2 million", 1_200_000),
        ("12%", 12),
        ("−4.5", -4.5),
        ("4:12.3", 252.3),
        ("1:00:01", 3601),
        ("€ 7", 7),
        ("Oslo", None),
        ("", None),
        ("3-2", None),
    ],
)
def test_a_cell_says_the_number_that_it_begins_with(text: str, number: float | None) -> None:
    assert read(text).number == (None if number is None else pytest.approx(number))


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("March 5, 2004", (2004, 3, 5)),
        ("5 May 1999", (1999, 5, 5)),
        ("2004-05-06", (2004, 5, 6)),
        ("5/6/2004", (2004, 5, 6)),
        ("June 2004", (2004, 6, None)),
        ("4 July", (None, 7, 4)),
        ("2004", (2004, None, None)),
        ("1999–2000", (1999, None, None)),
        ("maybe", None),
        ("2004-19-06", None),
    ],
)
def test_a_cell_says_a_date_as_far_as_it_is_written(text: str, date: object) -> None:
    assert read(text).date == date


def test_a_score_has_two_sides_and_is_no_number() -> None:
    assert read("W 3–2").score == (3, 2)
    assert read("1990-1995").score is None


def test_a_cell_of_many_values_has_parts() -> None:
    assert read("Bangkok, Thailand").parts == ("bangkok", "thailand")
    assert read("Bangkok").parts == ()


def test_footnotes_accents_and_dashes_do_not_matter() -> None:
    assert read("São Paulo[3] †").text == "sao paulo"


def test_columns_are_what_most_of_their_cells_are() -> None:
    rows = [
        ["Oslo", "1,000", "3 May 2001", "2-1", ""],
        ["Bergen", "900", "4 May 2001", "0-0", "-"],
        ["Tromsø", "–", "5 May 2001", "1-1", ""],
    ]
    frame = Frame.of(["City", "People", "Day", "Result", "Nothing"], rows)
    assert [c.kind for c in frame.columns] == ["text", "number", "date", "score", "blank"]


def test_a_row_of_totals_is_no_part_of_the_body() -> None:
    frame = Frame.of(["Nation", "Gold"], [["Norway", "3"], ["Total", "3"]])
    assert frame.body == (0,)


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ([], []),
        (["A"], []),
        ([], [["1", "2"]]),
        (["A", "A", ""], [["1"], ["1", "2", "3", "4"], []]),
        (["A"], [["x" * 100_000], ["\x00\ud800"], ["9" * 5000]]),
        (["A"] * 200, [["1e999"] * 200] * 3),
        (["½", "²"], [["²", "½"], ["①", "٣"]]),
    ],
)
def test_odd_tables_do_not_raise(columns: list[str], rows: list[list[str]]) -> None:
    frame = Frame.of(columns, rows)
    assert len(frame) == len(rows)
    assert all(len(row) == len(frame.columns) for row in frame.cells)


@pytest.mark.parametrize(("word", "root"), [("cities", "city"), ("won", "win"), ("planned", "plan"),
                                            ("1,000", "1000"), ("class", "class")])  # fmt: skip
def test_words_lose_their_endings(word: str, root: str) -> None:
    assert stem(word) == root
