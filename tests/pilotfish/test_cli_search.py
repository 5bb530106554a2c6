"""`search`: three retrievers, filters, TREC runs."""

from __future__ import annotations

import json

import pytest

from tests.conftest import ASKED, Pilotfish

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("retriever", ["bm25", "dense", "fused"])
def test_every_retriever_finds_the_passage_and_gives_its_slice(
    shared: Pilotfish, retriever: str
) -> None:
    lines = shared("search", ASKED, "-k", 3, "--retriever", retriever, "--json").lines
    assert [line["rank"] for line in lines] == [1, 2, 3][: len(lines)]
    assert lines[0]["document"] == "docs/returns.md" and "30 days" in lines[0]["text"]
    text = shared("show", lines[0]["document"], "--json").one["text"]
    assert text[lines[0]["start"] : lines[0]["end"]] == lines[0]["text"]


def test_chinese_is_found_and_a_table_row_knows_its_table(shared: Pilotfish) -> None:
    (best,) = shared("search", "多少天内可以退货", "-k", 1, "--json").lines
    assert best["document"] == "docs/chinese.md"
    done = shared("search", "price of a lantern", "-k", 1)
    assert "docs/prices.csv, prices, row 4" in done.out and "8.75" in done.out


def test_nothing_found_is_no_error(shared: Pilotfish) -> None:
    done = shared("search", "xylophone zebra", "--retriever", "bm25")
    assert not done.out and "nothing found" in done.err


def test_where_filters_by_metadata(shared: Pilotfish) -> None:
    def found(where: str) -> set[str]:
        lines = shared("search", "crane office soup", "--where", where, "--json").lines
        return {line["document"] for line in lines}

    assert found("year >= 2020") == {"n-2", "n-3"}
    assert found("team = 'ops' and not year = 2022") == {"n-1"}
    assert found("id in ('n-3', 'n-9') or title contains 'harb'") == {"n-1", "n-3"}
    assert found("nonsense = 1") == set()


@pytest.mark.parametrize("where", ["year >=", "year ! 3", "= 3", "not " * 3000 + "a = 1"])
def test_a_filter_that_cannot_be_read_is_exit_code_4(shared: Pilotfish, where: str) -> None:
    assert "filter" in shared("search", "soup", "--where", where, code=4).err


def test_queries_write_a_trec_run_with_one_line_a_document(shared: Pilotfish) -> None:
    queries = [{"id": "q1", "text": ASKED}, {"id": "q2", "text": "fish soup on Friday"}]
    path = shared.folder / "queries.jsonl"
    path.write_text("".join(json.dumps(q) + "\n" for q in queries), encoding="utf-8")
    done = shared("search", "--queries", path, "-k", 5, "--run", "run.trec")
    assert not done.out
    rows = [line.split() for line in (shared.folder / "run.trec").read_text().splitlines()]
    assert {len(row) for row in rows} == {6} and {row[1] for row in rows} == {"Q0"}
    assert {row[5] for row in rows} == {"pilotfish"}
    for qid, best in (("q1", "docs/returns.md"), ("q2", "n-3")):
        own = [row for row in rows if row[0] == qid]
        assert own[0][2] == best and len({row[2] for row in own}) == len(own) <= 5
        assert [int(row[3]) for row in own] == list(range(1, len(own) + 1))
        scores = [float(row[4]) for row in own]
        assert scores == sorted(scores, reverse=True)
    assert shared("search", "--queries", path, "-k", 5, "--run", "-").out.splitlines()


def test_ids_with_white_space_stay_one_column_of_a_run(fresh: Pilotfish) -> None:
    (fresh.folder / "my gate.txt").write_text("The gate closes at nine in the evening.")
    (fresh.folder / "q.jsonl").write_text('{"id": "q 1\\t", "text": "when does the gate close"}')
    fresh("add", "my gate.txt")
    (line,) = fresh("search", "--queries", "q.jsonl", "--run", "-").out.splitlines()
    assert line.split()[:4] == ["q%201%09", "Q0", "my%20gate.txt", "1"]
    assert len(line.split()) == 6


@pytest.mark.parametrize("run", ["no/such/folder.trec", "docs", "queries.jsonl"])
def test_a_run_that_cannot_be_written_is_told_before_any_work(fresh: Pilotfish, run: str) -> None:
    (fresh.folder / "docs").mkdir()
    (fresh.folder / "queries.jsonl").write_text('{"id": 1, "text": "soup"}\n')
    done = fresh("search", "--queries", "queries.jsonl", "--run", run, code=4)
    assert "write" in done.err, "8 would be: the workspace was looked for first"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("soup", "--retriever", "magic"), 4, "bm25, dense, fused"),
        ((), 4, "--queries"),
        (("--queries", "none.jsonl", "--run", "-"), 8, "none.jsonl"),
        (("--queries", "bad.jsonl", "--run", "-"), 4, "lines 2, 3"),
        (("--queries", "latin.jsonl", "--run", "-"), 4, "UTF-8"),
        (("--queries", "unnamed.jsonl", "--run", "-"), 4, "lines 1"),
        (("",), 4, "the question is empty"),
        (("soup", "-k", "0"), 2, "-k"),
    ],
)
def test_what_cannot_be_searched_is_said(
    shared: Pilotfish, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (shared.folder / "bad.jsonl").write_text('{"id": 1, "text": "soup"}\n{"id": 2}\nno json\n')
    (shared.folder / "latin.jsonl").write_bytes(b'{"id": 1, "text": "caf\xe9"}\n')
    (shared.folder / "unnamed.jsonl").write_text('{"id": " ", "text": "soup"}\n')
    assert said in shared("search", *arguments, code=code).err
