"""`eval`: what a batch wrote against right answers; tables, pages, JSON, and bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ASKED, UNANSWERABLE, Pilotfish

pytestmark = pytest.mark.slow
GOLD = [
    {"id": "q1", "question": ASKED, "answers": ["30 days", "30"]},
    {"id": "q2", "question": "When does the harbour office open?", "answer": "at seven"},
    {"id": "q3", "question": UNANSWERABLE, "unanswerable": True},
    {"id": "q4", "question": "总部位于哪里？", "answers": ["上海市"]},
]


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def answers(**said: str | None) -> list[dict[str, Any]]:
    return [{"custom_id": name, "status": "answered" if text else "abstained", "answer": text,
             "support": 0.6, "citations": []} for name, text in said.items()]  # fmt: skip


@pytest.fixture
def plain(fresh: Pilotfish) -> Pilotfish:
    """A folder with answers and right ones, without a workspace."""
    write(fresh.folder / "gold.jsonl", GOLD)
    write(fresh.folder / "a.jsonl", answers(q1="30 days", q2="at eight", q3=None, q4="上海市"))
    return fresh


def test_a_batch_is_measured_and_told_on_a_page_and_in_json(mine: Pilotfish) -> None:
    write(mine.folder / "gold.jsonl", GOLD)
    mine("batch", "gold.jsonl", "-o", "a.jsonl")
    mine("eval", "a.jsonl", "gold.jsonl", "--html", "r.html", "-o", "r.json", "--right", "contains")
    told = json.loads((mine.folder / "r.json").read_text())
    figures = told["figures"]
    assert told["version"] == 1 and told["counts"]["questions"] == 4
    assert figures["abstained_unanswerable"]["value"] == 1.0 and figures["calls"]["value"] == 0.0
    assert figures["right"]["value"] >= 1 / 3 and figures["bertscore_recall"]["value"] > 0.3
    assert figures["citation_precision"]["value"] == 1.0, "whole sentences are cited as they are"
    assert {item["id"] for item in told["items"]} == {"q1", "q2", "q3", "q4"}
    assert "<script" not in (page := (mine.folder / "r.html").read_text()) and "<svg" in page


def test_the_table_is_on_stdout_and_what_is_not_scored_on_stderr(plain: Pilotfish) -> None:
    done = plain("eval", "a.jsonl", "gold.jsonl", "--no-models")
    assert "4 questions: 2 right, 1 wrong, 1 abstained, 0 failed" in done.out
    assert "Answered right, of the answerable" in done.out and "66.7 %" in done.out
    assert "not scored:" in done.err and "--no-models leaves it out" in done.err
    assert not plain("-q", "eval", "a.jsonl", "gold.jsonl", "--no-models").err


def test_json_is_one_object_on_stdout(plain: Pilotfish) -> None:
    one = plain("eval", "a.jsonl", "gold.jsonl", "--no-models", "--json").one
    assert one["figures"]["right"]["value"] == pytest.approx(2 / 3)
    assert one == plain("eval", "a.jsonl", "gold.jsonl", "--no-models", "-o", "-").one
    piped = (plain.folder / "a.jsonl").read_bytes()
    two = plain("eval", "-", "gold.jsonl", "--no-models", "--json", stdin=piped).one
    assert two["figures"] == one["figures"] and two["setup"]["answers"]["name"] == "stdin"


def test_two_runs_are_compared(plain: Pilotfish) -> None:
    write(plain.folder / "b.jsonl", answers(q1="30 days", q2="no idea", q3="Louis", q4=None))
    run = ("eval", "a.jsonl", "gold.jsonl", "--no-models", "--against", "b.jsonl")
    told = plain(*run, "--json").one["against"]
    assert told["right"] == {"both": 1, "only_this": 1, "only_other": 0, "neither": 2}
    assert told["figures"]["right"]["value"] == pytest.approx(1 / 3)
    assert "difference" in plain(*run).out


def test_ids_that_do_not_match_are_named_and_may_be_left_out(plain: Pilotfish) -> None:
    write(plain.folder / "b.jsonl", answers(q1="30 days", q3=None, x9="?"))
    done = plain("eval", "b.jsonl", "gold.jsonl", "--no-models", code=4)
    assert "2 of gold.jsonl have no line in b.jsonl: q2, q4" in done.err
    assert "1 of b.jsonl have no line in gold.jsonl: x9" in done.err
    assert "--skip-missing" in done.err and not done.out
    done = plain("eval", "b.jsonl", "gold.jsonl", "--no-models", "--skip-missing")
    assert "2 questions" in done.out and "left out: 2 ids without answer" in done.err
    run = ("eval", "a.jsonl", "gold.jsonl", "--against", "b.jsonl", "--no-models", "--json")
    assert plain(*run, code=4).one["error"]["code"] == "invalid_input"
    assert plain(*run, "--skip-missing").one["counts"]["questions"] == 2


def test_bad_files_are_told_before_anything_is_measured(plain: Pilotfish) -> None:
    (plain.folder / "bad.jsonl").write_text('{"id": "q1", "answer": "x", "support": 3}\nnot json\n')
    done = plain("eval", "bad.jsonl", "gold.jsonl", code=4)
    assert "line 1: support 3 is no probability" in done.err and "line 2: not valid" in done.err
    plain("eval", "none.jsonl", "gold.jsonl", code=8)
    plain("eval", ".", "gold.jsonl", code=4)
    assert "in common" in plain("eval", write(plain.folder / "c.jsonl", answers(z="y")),
                                "gold.jsonl", code=4).err  # fmt: skip


@pytest.mark.parametrize("arguments", [
    ("--html", "none/r.html"), ("-o", "gold.jsonl"), ("--html", "-"), ("--html", "a.jsonl"),
    ("--html", "r", "-o", "r"), ("--against", "none.jsonl"),
])  # fmt: skip
def test_what_cannot_be_written_or_read_is_told_and_nothing_is_changed(
    plain: Pilotfish, arguments: tuple[str, ...]
) -> None:
    before = {path: path.read_bytes() for path in plain.folder.iterdir()}
    code = 8 if "--against" in arguments else 4
    plain("eval", "a.jsonl", "gold.jsonl", "--no-models", *arguments, code=code)
    assert before == {path: path.read_bytes() for path in plain.folder.iterdir()}


def test_no_worst_case_may_be_shown_and_usage_is_checked(plain: Pilotfish) -> None:
    plain("eval", "a.jsonl", "gold.jsonl", "--no-models", "--html", "r.html", "--worst", 0)
    assert "at eight" not in (plain.folder / "r.html").read_text()
    plain("eval", "a.jsonl", "gold.jsonl", "--right", "perhaps", code=2)
    plain("eval", "a.jsonl", code=2)
