"""`add`, `list`, `show`, `remove` as a person or a script meets them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.conftest import ASKED, NOTES, RETURNS, Pilotfish
from tests.llm_server import LLMServer

pytestmark = pytest.mark.slow


def held(pilotfish: Pilotfish) -> dict[str, dict[str, object]]:
    """The documents of the collection by id."""
    return {line["id"]: line for line in pilotfish("list", "--json").lines}


def test_a_folder_gives_its_files_and_a_jsonl_its_lines_with_their_ids_and_metadata(
    shared: Pilotfish,
) -> None:
    found = held(shared)
    names = ("returns.md", "shipping.txt", "warranty.html", "prices.csv", "chinese.md")
    assert set(found) == {f"docs/{name}" for name in names} | {"n-1", "n-2", "n-3"}
    assert found["n-2"]["metadata"] == {"year": 2022, "team": "ops"}
    assert found["n-2"]["title"] == "Crane" and found["docs/returns.md"]["title"] == "Returns"
    assert found["docs/prices.csv"]["tables"] == 1


def test_show_prints_the_text_that_offsets_refer_to(shared: Pilotfish) -> None:
    note = shared("show", "n-1", "--json").one
    assert note["text"] == NOTES[0]["text"] and note["metadata"]["year"] == 2019
    table = shared("--json", "show", "docs/prices.csv").one["tables"][0]
    assert table["columns"] == ["item", "price", "stock"] and table["rows"] == 3
    people = shared("show", "docs/chinese.md")
    assert "客户可以在三十天内退货" in people.out and "docs/chinese.md" in people.err


def test_list_for_people_is_a_table_on_stdout_and_a_count_on_stderr(shared: Pilotfish) -> None:
    done = shared("list")
    assert "docs/returns.md" in done.out and "8 documents" in done.err


def test_what_is_not_there_is_exit_code_8(shared: Pilotfish, tmp_path: Path) -> None:
    done = shared("show", "no-such-document", code=8)
    assert "'no-such-document'" in done.err and not done.out
    assert "'nowhere'" in shared("--collection", "nowhere", "list", code=8).err
    error = shared.on(tmp_path / "none")("list", "--json", code=8).one["error"]
    assert error["code"] == "not_found" and "pilotfish add" in error["message"]


def test_adding_again_counts_unchanged_updated_and_added(mine: Pilotfish, documents: Path) -> None:
    for path in documents.iterdir():
        (mine.folder / "docs").mkdir(exist_ok=True)
        (mine.folder / "docs" / path.name).write_bytes(path.read_bytes())
    again = mine("add", "docs", "--json").one
    assert (again["added"], again["updated"], again["unchanged"]) == ([], [], 8)
    assert again["passages"] == 0
    changed = RETURNS.replace("30 days", "45 days")
    (mine.folder / "docs" / "returns.md").write_text(changed, encoding="utf-8")
    (mine.folder / "docs" / "new.txt").write_text("The new warehouse has nine gates.")
    (mine.folder / "docs" / "gone.pdf").write_bytes(b"")
    report = mine("add", "docs", "--json", code=5).one
    assert report["updated"] == ["docs/returns.md"] and report["added"] == ["docs/new.txt"]
    assert report["unchanged"] == 7
    assert [one["source"] for one in report["failed"]] == ["docs/gone.pdf"]
    best = mine("search", ASKED, "--json").lines[0]
    assert "45 days" in best["text"] and not any("30 days" in str(d) for d in held(mine))


def test_documents_that_left_their_file_are_told(fresh: Pilotfish) -> None:
    lines = [json.dumps({"id": f"l-{n}", "text": f"Line number {n} is here."}) for n in range(3)]
    path = fresh.folder / "lines.jsonl"
    for removed, kept in (([], lines), (["l-2"], lines[:2])):
        path.write_text("\n".join(kept) + "\n")
        assert fresh("add", "lines.jsonl", "--json").one["removed"] == removed
    path.write_text(lines[0] + "\n")
    assert "removed 1 that left" in fresh("add", "lines.jsonl").out
    assert "removed" not in fresh("add", "lines.jsonl").out


def test_every_object_of_json_is_versioned_and_rows_are_not(fresh: Pilotfish) -> None:
    (fresh.folder / "a.txt").write_text("The gate closes at nine in the evening.")
    ones = [("add", "a.txt"), ("show", "a.txt"), ("reindex",), ("backup", "b.zip"),
            ("restore", "b.zip", "--force"), ("remove", "a.txt")]  # fmt: skip
    for command in ones:
        assert fresh(*command, "--json").one["version"] == 1, command
        for row in fresh("list", "--json").lines:
            assert "version" not in row
    for command in (("doctor",), ("config", "show")):
        assert {line["version"] for line in fresh(*command, "--json").lines} == {1}, command
    assert fresh("show", "a.txt", "--json", code=8).one["version"] == 1


def test_add_for_people_says_the_counts_and_each_failure_with_its_reason(fresh: Pilotfish) -> None:
    (fresh.folder / "a.txt").write_text("The gate closes at nine in the evening.")
    done = fresh("add", "a.txt", "missing.txt", code=5)
    assert "added 1, updated 0, unchanged 0, failed 1" in done.out
    assert "failed: missing.txt: no such file or folder: check the path" in done.err


def test_a_dash_reads_a_document_from_standard_input(fresh: Pilotfish) -> None:
    line = json.dumps({"id": "x-1", "text": "The lighthouse keeper is called Vesna."})
    assert fresh("add", "-", "--json", stdin=line.encode()).one["added"] in (["x-1"], ["stdin"])
    assert "Vesna" in fresh("search", "lighthouse keeper", "--json").lines[0]["text"]


def test_collections_of_a_workspace_do_not_see_each_other(mine: Pilotfish) -> None:
    (mine.folder / "other.txt").write_text("The secret word of the other collection is plum.")
    mine("--collection", "other", "add", "other.txt")
    found = mine("search", "secret word plum", "--json").lines
    assert "other.txt" not in {line["document"] for line in found}
    (only,) = mine("--collection", "other", "list", "--json").lines
    assert only["id"] == "other.txt"


def test_removed_means_gone_from_everywhere(mine: Pilotfish, llm: LLMServer) -> None:
    asking = mine.asking(llm)
    (mine.folder / "q.jsonl").write_text(json.dumps({"custom_id": "1", "question": ASKED}) + "\n")
    asking("batch", "q.jsonl", "-o", "a.jsonl")
    answered = json.loads((mine.folder / "a.jsonl").read_text(encoding="utf-8"))
    assert "30 days" in answered["answer"] and len(llm.requests) == 1
    assert "30 days" in stored(mine)
    assert mine("remove", "docs/returns.md", "docs/notes.jsonl", "--json").one["removed"] == 4
    assert set(held(mine)) & {"docs/returns.md", "n-1", "n-2", "n-3"} == set()
    for retriever in ("bm25", "dense"):
        lines = mine("search", ASKED, "--retriever", retriever, "--json").lines
        assert not any("30 days" in line["text"] for line in lines)
    assert "30 days" not in stored(mine)
    mine("doctor")
    assert "'docs/returns.md'" in mine("remove", "docs/returns.md", code=8).err


def stored(pilotfish: Pilotfish) -> str:
    """Every row of every table of the database, as text."""
    connection = sqlite3.connect(pilotfish.workspace / "pilotfish.db")
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    rows = [connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables]
    connection.close()
    return repr(rows)


def test_options_may_stand_before_or_after_the_command(shared: Pilotfish) -> None:
    before = shared("--json", "list")
    assert before.out == shared("list", "--json").out
