"""Labelled lines: every bad one is told at once, by its number and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pilotfish.errors import InputError
from pipeline.labelled_lines import TOLD, read_lines


def label(fields: dict[str, Any]) -> int | str:
    return fields.get("n", "no field 'n'")


def lines(folder: Path, *rows: str) -> Path:
    path = folder / "some.jsonl"
    path.write_text("\n".join(rows))
    return path


def test_good_lines_come_in_order_and_empty_ones_are_passed_over(tmp_path: Path) -> None:
    assert read_lines(lines(tmp_path, '{"n": 2}', "", '{"n": 1}'), label, "numbers") == [2, 1]


def test_all_bad_lines_are_told_with_their_reasons(tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        read_lines(lines(tmp_path, "no", "[1]", '{"n": 1}', "{}"), label, "numbers")
    said = str(told.value)
    assert "3 lines cannot be learned from" in said
    assert "line 1: not valid JSON" in said and "line 2: not a JSON object" in said
    assert "line 4: no field 'n'" in said


def test_of_very_many_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="and 3 more"):
        read_lines(lines(tmp_path, *["{}"] * (TOLD + 3)), label, "numbers")


def test_a_file_without_lines_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no numbers"):
        read_lines(lines(tmp_path, ""), label, "numbers")
