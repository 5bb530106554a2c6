"""Recorded rows: what may be missing, what is named when it is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pilotfish.errors import InputError, NotFound
from pipeline.outcomes import FOLDS, outcomes
from pipeline.recorded import Row, Tried, parse_rows, read_rows


def line(**fields: object) -> str:
    return json.dumps({"id": "a", "prompt": "Why?", **fields})


def test_a_row_keeps_what_is_known_and_bears_what_is_not() -> None:
    answers = [{"system": "s", "text": None, "correct": True, "cost": 2},
               {"system": "t", "correct": None, "cost": None, "model": "x"}]  # fmt: skip
    (row,) = parse_rows(line(answers=answers, group="law"), "f")
    assert row.tried == {"s": Tried("s", None, 1.0, 2.0), "t": Tried("t")}
    assert (row.group, row.text("s"), row.text("nobody")) == ("law", None, None)


def test_answers_may_be_left_out_and_an_id_is_the_line_number() -> None:
    rows = parse_rows('\n{"prompt": "One?"}\n\n{"prompt": "Two?", "answers": null}\n', "f")
    assert [(row.id, row.number) for row in rows] == [("2", 2), ("4", 4)]


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a JSON object"),
        (line(prompt=" "), "no field 'prompt'"),
        (line(prompt=None), "no field 'prompt'"),
        (line(id=""), "id is neither"),
        (line(answers={}), "answers is no list"),
        (line(answers=["x"]), "an answer is no JSON object"),
        (line(answers=[{"text": "x"}]), "no field 'system'"),
        (line(answers=[{"system": "s"}, {"system": "s"}]), "answers twice"),
        (line(answers=[{"system": "s", "text": 5}]), "is no text"),
        (line(answers=[{"system": "s", "correct": "yes"}]), "correct of 's' is 'yes'"),
        (line(answers=[{"system": "s", "correct": 2}]), "correct of 's' is '2'"),
        (line(answers=[{"system": "s", "cost": -1}]), "cost of 's' is '-1'"),
        (line(answers=[{"system": "s", "cost": float("nan")}]), "cost of 's' is 'nan'"),
        (line(answers=[{"system": "s", "cost": float("inf")}]), "cost of 's' is 'inf'"),
        ('{"id": "a", "prompt": "\\ud800"}', "half a character"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_reason(bad: str, named: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rows('{"id": "fine", "prompt": "Yes?"}\n' + bad, "rows.jsonl")
    assert "line 2: " in str(caught.value) and named in str(caught.value)


def test_all_bad_lines_are_named_at_once_and_a_doubled_id_names_both() -> None:
    text = "\n".join([line(), line(), "{", line(id="b")])
    with pytest.raises(InputError, match=r"line 2: id 'a' stands on line 1 already; line 3: "):
        parse_rows(text, "f")


def test_a_file_that_is_missing_empty_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        read_rows(tmp_path / "none.jsonl")
    (tmp_path / "empty").write_text("\n\n")
    with pytest.raises(InputError, match="it holds no row"):
        read_rows(tmp_path / "empty")
    (tmp_path / "latin").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(InputError, match="not UTF-8"):
        read_rows(tmp_path / "latin")


def rows(count: int, **more: object) -> list[Row]:
    tried = {"dear": Tried("dear", "x", 1.0, 9.0), "cheap": Tried("cheap", None, 0.0, 1.0)}
    return [Row(n, str(n), f"Prompt {n}?", tried, f"g{n % 7}") for n in range(count)]


def test_systems_come_out_from_cheap_to_strong_with_their_means() -> None:
    found = outcomes(rows(50), "f")
    assert found.systems == ("cheap", "dear")
    assert found.mean_cost.tolist() == [1.0, 9.0] and found.accuracy.tolist() == [0.0, 1.0]
    assert found.readable == (False, True)


def test_rows_of_one_group_stand_in_one_fold() -> None:
    given = rows(70)
    found = outcomes(given, "f")
    assert found.grouped and len(set(found.folds)) == FOLDS
    for group in {row.group for row in given}:
        assert (
            len({f for row, f in zip(given, found.folds, strict=True) if row.group == group}) == 1
        )


def test_missing_outcomes_are_gaps_and_missing_costs_the_mean() -> None:
    given = rows(50)
    given[0] = Row(0, "0", "Prompt 0?", {"cheap": Tried("cheap", "x", 1.0, None)})
    found = outcomes(given, "f")
    assert np.isnan(found.right[0]).tolist() == [False, True]
    assert found.paid[0].tolist() == [1.0, 9.0]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (rows(10), "10 of 10 rows hold an answer with 'correct'"),
        ([Row(n, str(n), "P?", {"s": Tried("s", "x", 1.0)}) for n in range(50)], "has a cost"),
        ([Row(n, str(n), "P?") for n in range(50)], "0 of 50 rows"),
    ],
)
def test_rows_that_nothing_can_be_learned_from_are_refused(given: list[Row], named: str) -> None:
    with pytest.raises(InputError, match=named):
        outcomes(given, "f")
