"""`batch`: files of questions in, files of answers out; resuming, interrupting, bad lines."""

from __future__ import annotations

import csv
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.conftest import ASKED, UNANSWERABLE, Pilotfish, checked
from tests.llm_server import LLMServer
from tests.warm import Child

pytestmark = pytest.mark.slow
KEYS = {"custom_id", "status", "answer", "citations", "support", "receipt", "error"}
RECEIPT = {"llm_calls", "prompt_tokens", "completion_tokens", "cost_usd", "seconds"}
MANY = [f"How many tonnes does crane number {number} lift?" for number in range(6)]


def write(path: Path, questions: list[str]) -> Path:
    """JSON lines of these questions, with ids q0, q1, ..."""
    lines = [{"custom_id": f"q{n}", "question": text} for n, text in enumerate(questions)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_json_lines_in_give_one_line_out_a_line_in_order(mine: Pilotfish) -> None:
    questions = [UNANSWERABLE, ASKED, "When does the harbour office open?", "总部位于哪里？"]
    write(mine.folder / "in.jsonl", questions)
    done = mine("batch", "in.jsonl", "-o", "out.jsonl")
    lines = read(mine.folder / "out.jsonl")
    assert not done.out and "abstained" in done.err and "$0" in done.err
    assert [line["custom_id"] for line in lines] == ["q0", "q1", "q2", "q3"]
    assert [line["status"] for line in lines[:2]] == ["abstained", "answered"]
    for line in lines:
        assert set(line) >= KEYS and set(line["receipt"]) == RECEIPT and "question" not in line
        for one in line["citations"]:
            text = mine("show", one["document"], "--json").one["text"]
            assert text[one["start"] : one["end"]] == one["quote"] and 0 <= one["support"] <= 1


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_spreadsheets_of_questions_come_back_as_spreadsheets(mine: Pilotfish, ending: str) -> None:
    rows = [["Id", "Question", "note"], [7, ASKED, "=1+1"], ["=cmd", UNANSWERABLE, ""]]
    path = mine.folder / f"in.{ending}"
    (write_xlsx if ending == "xlsx" else write_csv)(path, rows)
    mine("batch", path, "-o", f"out.{ending}")
    found = (read_xlsx if ending == "xlsx" else read_csv)(mine.folder / f"out.{ending}")
    head, first, second = found
    line = dict(zip(head, first, strict=True))
    assert str(line["custom_id"]) == "7" and line["status"] == "answered"
    assert "30" in str(line["answer"]) and "docs/returns.md:" in str(line["sources"])
    assert str(second[0]) == "'=cmd", "no formula out of what others wrote"
    assert dict(zip(head, second, strict=True))["status"] == "abstained"


def write_csv(path: Path, rows: list[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def read_csv(path: Path) -> list[list[Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def write_xlsx(path: Path, rows: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell in book.active[3]:
        cell.data_type = "s"
    book.save(path)


def read_xlsx(path: Path) -> list[list[Any]]:
    book = openpyxl.load_workbook(path)
    return [list(row) for row in book.active.iter_rows(values_only=True)]


BAD = (
    '{"custom_id": "a", "question": "When does the canteen serve soup?"}\n'
    "not json\n"
    '{"custom_id": "b"}\n'
    '{"custom_id": "a", "question": "Again?"}\n'
    '{"custom_id": "c", "question": "  "}\n'
    '{"custom_id": "d", "question": "\\ud800 half"}\n'
    "[1, 2]\n"
)


def test_all_bad_lines_are_named_at_once_and_nothing_is_started(
    mine: Pilotfish, llm: LLMServer
) -> None:
    (mine.folder / "in.jsonl").write_text(BAD)
    done = mine.asking(llm)("batch", "in.jsonl", "-o", "out.jsonl", code=4)
    for number in (2, 3, 4, 5, 6, 7):
        assert f"line {number}:" in done.err
    assert "'a' is the one of line 1" in done.err and "--skip-invalid" in done.err
    assert not llm.requests and not (mine.folder / "out.jsonl").exists()


def test_bad_lines_may_be_written_as_failed(mine: Pilotfish) -> None:
    (mine.folder / "in.jsonl").write_text(BAD)
    done = mine("batch", "in.jsonl", "-o", "out.jsonl", "--skip-invalid", code=5)
    assert "done already" not in done.err
    lines = read(mine.folder / "out.jsonl")
    assert [line["status"] for line in lines[1:]] == ["failed"] * 6
    assert lines[0]["status"] != "failed" and lines[1]["error"]["code"] == "invalid_input"
    assert set(lines[1]["error"]) == {"type", "code", "message"}
    assert "line 4" in lines[3]["error"]["message"]


def test_killed_and_started_again_it_does_only_what_is_missing(
    mine: Pilotfish, llm: LLMServer
) -> None:
    write(mine.folder / "in.jsonl", MANY)
    llm.latency = 0.6
    asking = mine.asking(llm, PILOTFISH_CONCURRENCY=1, PILOTFISH_LLM__TIMEOUT=10)
    child = asking.start("batch", "in.jsonl", "-o", "out.jsonl")
    wait_for(lambda: len(llm.requests) >= 3, child)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    asked = len(llm.requests)
    assert asked < len(MANY) and not (mine.folder / "out.jsonl").exists()
    llm.latency = 0
    asking("batch", "in.jsonl", "-o", "out.jsonl")
    assert len(llm.requests) - asked <= len(MANY) - asked + 1  # the one in flight, at most
    assert max(llm.per_key.values()) <= 2
    lines = read(mine.folder / "out.jsonl")
    assert [line["custom_id"] for line in lines] == [f"q{n}" for n in range(len(MANY))]
    before = len(llm.requests)
    asking("batch", "in.jsonl", "-o", "again.jsonl")
    assert len(llm.requests) == before, "a finished batch asks nothing"
    assert read(mine.folder / "again.jsonl") == lines


def test_one_interrupt_finishes_what_is_in_flight_and_says_how_to_go_on(
    mine: Pilotfish, llm: LLMServer
) -> None:
    write(mine.folder / "in.jsonl", MANY)
    llm.latency = 0.6
    asking = mine.asking(llm, PILOTFISH_CONCURRENCY=2, PILOTFISH_LLM__TIMEOUT=10)
    child = asking.start("batch", "in.jsonl", "-o", "out.jsonl")
    wait_for(lambda: len(llm.requests) >= 2, child)
    os.kill(child.pid, signal.SIGINT)
    done = checked(child.wait(), *child.communicate(), 130)
    assert "2 of 6 are done" in done.err or "3 of 6" in done.err or "4 of 6" in done.err
    assert "pilotfish batch in.jsonl -o out.jsonl" in done.err and not done.out
    asked = len(llm.requests)
    llm.latency = 0
    asking("batch", "in.jsonl", "-o", "out.jsonl")
    assert max(llm.per_key.values()) == 1, "nothing is paid twice"
    assert len(llm.requests) > asked and len(read(mine.folder / "out.jsonl")) == len(MANY)


def test_the_second_interrupt_leaves_at_once(mine: Pilotfish, llm: LLMServer) -> None:
    write(mine.folder / "in.jsonl", MANY)
    llm.latency = 30
    asking = mine.asking(llm, PILOTFISH_LLM__TIMEOUT=60)
    child = asking.start("batch", "in.jsonl", "-o", "out.jsonl")
    wait_for(lambda: len(llm.requests) >= 1, child)
    refused = asking("batch", "in.jsonl", "-o", "out.jsonl", code=4)
    assert "another process" in refused.err
    begun = time.monotonic()
    os.kill(child.pid, signal.SIGINT)
    time.sleep(0.5)
    assert child.poll() is None
    os.kill(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=20)
    checked(child.returncode, out, err, 130)
    assert time.monotonic() - begun < 10


def wait_for(happened: Any, child: Child, seconds: float = 60) -> None:
    """Until it happened; fails when the child ends before."""
    until = time.monotonic() + seconds
    while not happened():
        assert child.poll() is None, child.communicate()[1].decode()
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.02)


def test_each_way_an_llm_fails_is_survived_and_marked(mine: Pilotfish, llm: LLMServer) -> None:
    modes = ["hang:20", "429", "status:500", "html", "empty", "truncated", "reset", "null"]
    absent = [f"Who was the king of France in {1500 + n}?" for n in range(len(modes))]
    write(mine.folder / "in.jsonl", [*absent, ASKED])
    llm.script(*modes)
    asking = mine.asking(
        llm, PILOTFISH_LLM__TIMEOUT=4, PILOTFISH_LLM__ATTEMPTS=1, PILOTFISH_CONCURRENCY=1
    )
    done = asking("batch", "in.jsonl", "-o", "-", code=None)
    lines = done.lines
    assert done.code in (0, 5) and len(lines) == len(modes) + 1
    for line in lines[:-1]:
        assert line["status"] != "answered" and line["citations"] == []
        assert line["status"] == "failed" or line["degraded"]
    assert lines[-1]["status"] == "answered" and len(llm.requests) == len(modes) + 1
    assert "sk-test" not in done.out + done.err


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (["--recipe", "defualt"], "no recipe 'defualt'"),
        (["--recipe", "plain"], "needs an LLM"),
        (["--where", "year >="], "ends too early"),
        (["--where", "year >=", "--estimate"], "ends too early"),
    ],
)
def test_what_no_question_could_be_asked_with_is_refused_before_any_work(
    shared: Pilotfish, tmp_path: Path, mistake: list[str], said: str
) -> None:
    write(tmp_path / "in.jsonl", [ASKED])
    here = Pilotfish(tmp_path, shared.workspace)
    done = here("batch", "in.jsonl", "-o", "out.jsonl", *mistake, code=4)
    assert said in done.err and not (tmp_path / "out.jsonl").exists()


def test_with_json_one_object_sums_the_batch_up(mine: Pilotfish, llm: LLMServer) -> None:
    write(mine.folder / "in.jsonl", [ASKED, UNANSWERABLE])
    asking = mine.asking(llm, PILOTFISH_LLM__ATTEMPTS=1, PILOTFISH_CONCURRENCY=1)
    llm.script("ok", "status:500")
    told = asking("--json", "batch", "in.jsonl", "-o", "out.jsonl", code=5).one
    lines = read(mine.folder / "out.jsonl")
    assert told["version"] == 1 and told["output"] == "out.jsonl" and told["seconds"] > 0
    assert (told["questions"], told["failed"], told["failures"]) == (2, 1, {"server_error": 1})
    assert told["answered"] + told["abstained"] == 1
    for name in ("llm_calls", "prompt_tokens", "completion_tokens"):
        assert told[name] == sum(line["receipt"][name] for line in lines)
    assert told["llm_calls"] == 1 and told["cost_usd"] is None
    again = asking("--json", "batch", "in.jsonl", "-o", "out.jsonl")
    assert "1 of 2 questions are done already" in again.err
    assert again.one["failed"] == 0 and again.one["llm_calls"] == 2
    to_stdout = asking("--json", "batch", "in.jsonl", "-o", "-")
    assert [line["custom_id"] for line in to_stdout.lines] == ["q0", "q1"]


@pytest.mark.parametrize(
    ("source", "output", "code", "said"),
    [
        ("none.jsonl", "out.jsonl", 8, "no file none.jsonl"),
        ("empty.jsonl", "out.jsonl", 4, "holds no questions"),
        ("latin.csv", "out.csv", 4, "UTF-8"),
        ("broken.xlsx", "out.xlsx", 4, "no readable workbook"),
        ("columns.csv", "out.csv", 4, "no column 'question'"),
        ("good.jsonl", "no/such/out.jsonl", 4, "missing or not writable"),
        ("good.jsonl", "good.jsonl", 4, "holds the questions"),
        ("good.jsonl", ".", 4, "a folder"),
    ],
)
def test_what_cannot_be_read_or_written_is_said_before_any_work(
    shared: Pilotfish, tmp_path: Path, source: str, output: str, code: int, said: str
) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "latin.csv").write_bytes(b"question\ncaf\xe9\n")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    (tmp_path / "columns.csv").write_text("a,b\n1,2\n")
    write(tmp_path / "good.jsonl", [ASKED])
    here = Pilotfish(tmp_path, shared.workspace)
    assert said in here("batch", source, "-o", output, code=code).err
