import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from pilotfish.errors import InputError
from pilotfish.types import Answer, Case, Citation, Flaw, Passage, Place, Question, Receipt, Span
from pipeline.outputs import case_json, line_of, write_lines
from pipeline.questions import read_questions


def read(name: str, data: str | bytes):  # type: ignore[no-untyped-def]
    raw = data.encode() if isinstance(data, str) else data
    return read_questions(Path(name), raw, limit=100)


def test_json_lines_keep_ids_order_and_other_fields() -> None:
    lines = read(
        "q.jsonl", '{"custom_id":"a","question":"Why?","table":"t"}\n\n{"id":7,"question":"How?"}\n'
    )
    assert [(one.custom_id, one.question, one.number) for one in lines] == [
        ("a", "Why?", 1),
        ("7", "How?", 3),
    ]
    assert lines[0].fields == {"table": "t"}


def test_a_missing_id_is_the_line_number() -> None:
    assert read("q.jsonl", '{"question":"Why?"}')[0].custom_id == "1"


def test_openai_batch_lines_are_understood() -> None:
    body = {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Why?"}]}
    line = read("q.jsonl", json.dumps({"custom_id": "a", "body": body}))[0]
    assert (line.question, line.problem) == ("Why?", None)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("{broken", "not valid JSON"),
        ("[1]", "not a JSON object"),
        ('{"question": 3}', "no field 'question'"),
        ('{"question": "  "}', "empty"),
        ('{"question": "' + "x" * 200 + '"}', "over the limit"),
        ('{"custom_id": {}, "question": "Why?"}', "custom_id"),
    ],
)
def test_each_bad_line_says_what_is_wrong(raw: str, problem: str) -> None:
    assert problem in str(read("q.jsonl", raw)[0].problem)


def test_a_doubled_id_names_the_line_that_has_it_already() -> None:
    lines = read("q.jsonl", '{"custom_id":"a","question":"x"}\n{"custom_id":"a","question":"y"}')
    assert lines[0].problem is None
    assert "line 1" in str(lines[1].problem)


@pytest.mark.parametrize("name", ["q.csv", "q.tsv"])
def test_tables_need_a_question_column_and_may_have_ids(name: str) -> None:
    mark = "," if name.endswith("csv") else "\t"
    lines = read(name, f"id{mark}Question\nx{mark}Why?\ny{mark}How?\n")
    assert [(one.custom_id, one.question) for one in lines] == [("x", "Why?"), ("y", "How?")]


def test_a_table_without_a_question_column_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="no column 'question'"):
        read("q.csv", "a,b\n1,2\n")


def test_a_workbook_of_questions_is_read() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["custom_id", "question"])
    sheet.append(["a", "Why?"])
    out = io.BytesIO()
    book.save(out)
    assert [(one.custom_id, one.question) for one in read("q.xlsx", out.getvalue())] == [
        ("a", "Why?")
    ]


def test_plain_text_is_one_question_a_line() -> None:
    assert [one.question for one in read("q.txt", "Why?\n\nHow?")] == ["Why?", "How?"]


def test_an_empty_file_and_wrong_encoding_are_refused() -> None:
    with pytest.raises(InputError, match="no questions"):
        read("q.jsonl", "")
    with pytest.raises(InputError, match="not UTF-8"):
        read("q.jsonl", b"\xff\xfe{}")


SPAN = Span("d.pdf", 5, 9, "text", Place(page=3, heading=("H",)))
ANSWERED = Case(
    Question("Why?"),
    (Passage(1, "text", "d.pdf", 5, 9),),
    answer=Answer(
        "text", citations=(Citation((0, 4), SPAN, 0.9, 1),), support=0.8, model="extract"
    ),
)


def test_an_answered_line_has_the_contract_s_fields() -> None:
    line = line_of(ANSWERED, Receipt(1, 10, 5, 0.01, 0.5))
    assert line["status"] == "answered"
    assert line["citations"] == [
        {"document": "d.pdf", "start": 5, "end": 9, "quote": "text", "page": 3, "heading": ["H"],
         "support": 0.9, "sentence": [0, 4]}
    ]  # fmt: skip
    assert line["receipt"] == {
        "llm_calls": 1,
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost_usd": 0.01,
        "seconds": 0.5,
    }


def test_an_abstained_line_has_no_answer_but_its_candidate_and_nearest_evidence() -> None:
    assert ANSWERED.answer is not None
    case = replace(ANSWERED, answer=replace(ANSWERED.answer, abstained=True, citations=()))
    line = line_of(case, Receipt())
    assert (line["status"], line["answer"], line["candidate"]) == ("abstained", None, "text")
    assert line["nearest"] == [{"document": "d.pdf", "start": 5, "end": 9}]


def test_a_contradicted_sentence_is_told_with_what_denies_it_also_when_it_is_held_back() -> None:
    assert ANSWERED.answer is not None
    flaws = (Flaw("contradicted", 0, 4, "why", SPAN), Flaw("unsupported", 0, 4, "too little"))
    answer = replace(ANSWERED.answer, flaws=flaws)
    denied = {"kind": "contradicted", "start": 0, "end": 4, "detail": "why", "evidence": {
        "document": "d.pdf", "start": 5, "end": 9, "quote": "text", "page": 3, "heading": ["H"]
    }}  # fmt: skip
    told = line_of(replace(ANSWERED, answer=answer), Receipt())["flaws"]
    assert told == [denied, {"kind": "unsupported", "start": 0, "end": 4, "detail": "too little"}]
    held = line_of(replace(ANSWERED, answer=replace(answer, abstained=True)), Receipt())
    assert held["flaws"] == [denied] and held["candidate"] == "text"
    assert json.loads(json.dumps(case_json(replace(ANSWERED, answer=answer), 0.1)))


def test_the_whole_case_is_plain_json() -> None:
    assert json.loads(json.dumps(case_json(ANSWERED, 0.1)))["question"]["text"] == "Why?"


def test_spreadsheets_never_get_a_formula_out_of_an_answer(tmp_path: Path) -> None:
    line = line_of(ANSWERED, Receipt()) | {
        "custom_id": "a",
        "question": "Why?",
        "answer": "=HYPERLINK(1)",
    }
    write_lines(tmp_path / "out.csv", [line])
    assert "'=HYPERLINK(1)" in (tmp_path / "out.csv").read_text("utf-8-sig")
    write_lines(tmp_path / "out.xlsx", [line])
    rows = list(load_workbook(tmp_path / "out.xlsx").worksheets[0].iter_rows(values_only=True))
    assert "'=HYPERLINK(1)" in rows[1]


def test_a_folder_that_is_missing_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        write_lines(tmp_path / "no" / "out.jsonl", [])
