"""What counts as right, and which lines are labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pilotfish.errors import InputError
from pipeline.evaluation.scores import is_right
from pipeline.labelling import read_known
from verifiers.calibration import Label


@pytest.mark.parametrize(
    ("said", "answer", "right"),
    [
        ("1921", "1921", True),
        ("In 1921.", "1921", False),  # F1 2/3
        ("The Eiffel Tower!", "eiffel tower", True),
        ("the city of New York", "City of New York City", True),  # F1 8/9
        ("New York", "New York City", True),  # F1 exactly 0.8
        ("York", "New York", False),  # F1 2/3
        ("It was built in 1921 by Ann Lee", "1921", False),
        ("yes", "Yes", True),
        ("yes, it was", "yes", False),
        ("no", "yes", False),
        ("", "1921", False),
        ("1921", "", False),
        ("the", "a", False),
        ("Zürich", "Zu\u0308rich", True),
    ],
)
def test_an_answer_is_right_when_equal_or_nearly_so(said: str, answer: str, right: bool) -> None:
    assert is_right(said, [answer]) is right


def test_a_sentence_that_holds_the_answer_is_right_only_where_that_is_asked_for() -> None:
    said = "It was built in 1921 by Ann Lee."
    assert is_right(said, ["Ann Lee"], "contains") and not is_right(said, ["Ann Lee"])
    assert not is_right(said, ["Ann Le"], "contains") and not is_right("Yes.", ["no"], "contains")
    assert not is_right("Yes, in 1921.", ["yes"], "contains")


def write(folder: Path, *rows: object) -> Path:
    path = folder / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_both_kinds_of_lines_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"id": 1, "question": "When?", "answers": ["1921", "in 1921"]},
        {"question": "Who?", "answers": "Ann"},
        {"support": 0.7, "right": True},
        {"support": 0.2, "right": False, "group": "kind=date, passage=table"},
        {"support": 0.2, "right": False, "group": {"kind": "person"}},
        {"support": 1, "right": True, "group": "place"},
    )
    first, second, *rest = read_known(path)
    assert first.answers == ("1921", "in 1921") and second.answers == ("Ann",)
    assert [one.label for one in rest] == [
        Label(0.7, True), Label(0.2, False, {"kind": "date", "passage": "table"}),
        Label(0.2, False, {"kind": "person"}), Label(1.0, True, {"kind": "place"}),
    ]  # fmt: skip


BAD = [{"question": "When?"}, {"question": 1, "answers": ["x"]}, {"question": "x", "answers": []},
       {"support": 2, "right": True}, {"support": 0.5, "right": "yes"}, {"support": 0.5}, [], 7,
       {"support": None, "right": True}, {"question": "x", "answers": [1]}]  # fmt: skip


def test_all_bad_lines_are_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, {"support": 0.5, "right": True}, *BAD)
    with pytest.raises(InputError, match=f"{len(BAD)} lines that say no label \\(line 2, 3, 4, "):
        read_known(path)


def test_an_empty_file_is_no_set_of_labels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no labels"):
        read_known(write(tmp_path))


def test_labels_that_are_not_utf_8_are_refused_rather_than_mangled(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_bytes('{"question": "Where?", "answers": ["Zürich"]}\n'.encode("latin-1"))
    with pytest.raises(InputError, match=r"not UTF-8 \(byte 37\): save it as UTF-8"):
        read_known(path)
