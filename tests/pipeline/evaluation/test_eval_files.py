"""Files of answers: everything wrong is said at once; ids must match, or be left out by name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pilotfish.errors import InputError, NotFound
from pipeline.evaluation.files import common, join, matched, named, read_gold, read_replies
from pipeline.evaluation.records import Gold, Reply
from tests.pipeline.evaluation.answers import source

BAD = '{"id": "a", "answer": "x"}\nnot json\n[1]\n{"id": "a", "answer": "y"}\n{"id": "b"}\n\n' \
      '{"id": "c", "answer": "\\ud800"}\n'  # fmt: skip


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(BAD)
    with pytest.raises(InputError) as error:
        read_gold(path)
    told = str(error.value)
    assert "5 of 6 lines cannot be read" in told
    for words in (
        "line 2: not valid JSON",
        "line 3: not a JSON object",
        "line 4: id a is the one of line 1",
        "line 5: no answers",
        "line 7: half a",
    ):
        assert words in told  # fmt: skip


def test_a_file_is_known_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "answer": "x"}\n\n')
    about, found = read_gold(path)
    assert about.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() and about.lines == 1
    assert found == {"a": Gold("a", ("x",))}


@pytest.mark.parametrize("data", [b"", b"\n \n", b"PK\x03\x04\xff", b"\xff\xfe"])
def test_files_that_are_no_json_lines_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "answers.xlsx"
    path.write_bytes(data)
    with pytest.raises(InputError, match="JSON lines"):
        read_replies(path)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_replies(tmp_path / "none.jsonl")


def replies(*names: str) -> dict[str, Reply]:
    return {name: Reply(name, True, "x") for name in names}


def gold(*names: str) -> dict[str, Gold]:
    return {name: Gold(name, ("x",)) for name in names}


def test_ids_of_one_side_are_named_and_counted() -> None:
    joined = join(replies("a", "b", "x"), gold("b", "a", "c", "d"))
    assert [reply.id for reply, _ in joined.pairs] == ["b", "a"]
    with pytest.raises(InputError) as error:
        matched(joined, source("A"), source("G"), skip=False)
    assert "2 of G have no line in A: c, d" in str(error.value)
    assert "1 of A have no line in G: x" in str(error.value)
    assert len(matched(joined, source("A"), source("G"), skip=True)) == 2


def test_nothing_in_common_is_an_error_even_when_ids_may_be_missing() -> None:
    joined = join(replies("a"), gold("b"))
    with pytest.raises(InputError, match="no id in common: a against b"):
        matched(joined, source(), source(), skip=True)


def test_two_runs_are_compared_on_what_both_have() -> None:
    one, other = join(replies("a", "b"), gold("a", "b")), join(replies("b"), gold("a", "b"))
    mine, theirs = common(one, other, source(), source())
    assert [reply.id for reply, _ in mine.pairs] == [r.id for r, _ in theirs.pairs] == ["b"]
    assert mine.unanswered == ("a",)


def test_many_ids_are_counted() -> None:
    assert named([str(n) for n in range(25)], 3) == "0, 1, 2 and 22 more"
    assert len(named(["x" * 500])) == 60
