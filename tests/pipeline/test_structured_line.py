"""Graphs and tables through the whole line: added, asked, cited, tuned, changed, removed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Pilotfish
from tests.llm_server import LLMServer
from tests.warm import ROOT

pytestmark = pytest.mark.slow

TRIPLES = """Anna Berg\tmanages\tSales
Bo Dahl\tmanages\tOperations
Sales\tpart of\tFjord Ltd
Operations\tpart of\tFjord Ltd
Sales\tlocated in\tOslo
Operations\tlocated in\tBergen
"""
STOCK = {
    "id": "stock-7", "title": "Stock by warehouse",
    "columns": ["Warehouse", "Item", "Units", "Price"],
    "rows": [["Oslo", "anvil", "1,200", "12.50"], ["Oslo", "rope", "90", "3.20"],
             ["Bergen", "anvil", "300", "12.50"], ["Bergen", "lantern", "45", "8.75"]],
}  # fmt: skip


@pytest.fixture(scope="module")
def pilotfish(tmp_path_factory: pytest.TempPathFactory) -> Pilotfish:
    folder = tmp_path_factory.mktemp("structured")
    (folder / "org.triples.tsv").write_text(TRIPLES)
    (folder / "stock.tables.jsonl").write_text(json.dumps(STOCK) + "\n")
    (folder / "note.md").write_text("# Holidays\n\nThe office is closed on 17 May.\n")
    made = Pilotfish(folder, folder / ".pilotfish")
    made("add", "org.triples.tsv", "stock.tables.jsonl", "note.md")
    return made


def ask(pilotfish: Pilotfish, *arguments: str, **how: int) -> dict[str, Any]:
    found: dict[str, Any] = pilotfish("ask", "--json", *arguments, **how).one
    return found


def test_a_topic_is_looked_for_in_the_graph_and_its_edge_is_cited(pilotfish: Pilotfish) -> None:
    found = ask(pilotfish, "--topic", "Sales", "Who manages it?")
    assert found["values"] == ["Anna Berg"] and found["model"] == "graph"
    (cited,) = found["citations"]
    assert (cited["subject"], cited["relation"], cited["object"]) == (
        "Anna Berg", "manages", "Sales",
    )  # fmt: skip
    assert TRIPLES.replace("\t", " — ")[cited["start"] : cited["end"]] == cited["quote"]


def test_the_entity_is_found_in_the_question_itself(pilotfish: Pilotfish) -> None:
    found = ask(pilotfish, "Where is Operations located?")
    assert found["status"] == "answered" and found["values"] == ["Bergen"]


def test_a_question_about_text_is_still_answered_from_text(pilotfish: Pilotfish) -> None:
    found = ask(pilotfish, "When is the office closed?")
    assert found["citations"][0]["document"] == "note.md"


def test_a_table_is_asked_by_its_id_and_its_cells_are_cited(pilotfish: Pilotfish) -> None:
    found = ask(pilotfish, "--table", "stock-7", "which warehouse has lantern?")
    assert found["values"] == ["Bergen"] and found["model"] == "table"
    source = found["citations"][0] if found["citations"] else found["answer"]
    assert found["support"] > 0 and source


def test_a_table_that_is_not_there_is_told(pilotfish: Pilotfish) -> None:
    refused = pilotfish("ask", "--table", "no-such", "how many?", code=8)
    assert "no table 'no-such'" in refused.err


def test_search_may_be_kept_to_one_kind(pilotfish: Pilotfish) -> None:
    kinds = {
        kind: {row["kind"] for row in pilotfish("search", "--json", "--kind", kind, query).lines}
        for kind, query in {"table": "anvil", "text": "anvil in Oslo", "triple": "Sales"}.items()
    }
    assert kinds == {"table": {"table"}, "text": {"text"}, "triple": {"triple"}}
    refused = pilotfish("search", "--kind", "song", "x", code=4)
    assert "no kind 'song'" in refused.err


def batch(
    pilotfish: Pilotfish, name: str, lines: Sequence[Mapping[str, object]]
) -> list[dict[str, Any]]:
    source = pilotfish.folder / f"{name}.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    pilotfish("batch", source, "-o", f"{name}.out.jsonl")
    out = (pilotfish.folder / f"{name}.out.jsonl").read_text()
    return [json.loads(line) for line in out.splitlines()]


def test_batch_lines_say_where_to_look_and_get_values(pilotfish: Pilotfish) -> None:
    found = batch(pilotfish, "where", [
        {"id": "g", "question": "Who manages it?", "topic": "Operations"},
        {"id": "t", "question": "how many units of rope?", "table": "stock-7"},
        {"id": "c", "question": "lantern be in the warehouse Bergen", "table": "stock-7"},
        {"id": "n", "question": "Who manages it?", "topic": "Nobody At All"},
    ])  # fmt: skip
    by_id = {one["custom_id"]: one for one in found}
    assert by_id["g"]["values"] == ["Bo Dahl"]
    assert by_id["t"]["values"] and 0 < by_id["t"]["support"] < 1
    assert by_id["c"]["values"][0] in {"supported", "contradicted"}
    assert by_id["n"]["status"] == "abstained" and "values" not in by_id["n"]


def test_a_spreadsheet_of_answers_shows_edges_and_cells(pilotfish: Pilotfish) -> None:
    source = pilotfish.folder / "sheet.jsonl"
    source.write_text(json.dumps({"id": "g", "question": "Who manages it?", "topic": "Sales"}))
    pilotfish("batch", source, "-o", "sheet.csv")
    assert "Anna Berg — manages — Sales" in (pilotfish.folder / "sheet.csv").read_text("utf-8-sig")


def test_a_graph_is_tuned_by_labelled_questions(pilotfish: Pilotfish) -> None:
    lines = [
        {"question": f"who is the boss of {place}", "topic": place, "answers": [boss],
         "path": ["manages [inverse]"]}
        for place, boss in (("Sales", "Anna Berg"), ("Operations", "Bo Dahl"))
    ]  # fmt: skip
    source = pilotfish.folder / "labelled.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = pilotfish("tune", "graph", source, "--json").one
    assert told["used"] == 2
    found = ask(pilotfish, "--topic", "Sales", "who is the boss of Sales")
    assert found["values"] == ["Anna Berg"] and "calibrated here" in found["calibration"]
    source.write_text('{"question": "who", "topic": "Sales"}\n{"answers": ["x"]}\n')
    refused = pilotfish("tune", "graph", source, code=4)
    assert "line 1" in refused.err and "line 2" in refused.err


def test_tables_are_tuned_by_labelled_questions(pilotfish: Pilotfish) -> None:
    lines = [
        {"question": f"how many units of {item} are in {place}?", "table": "stock-7",
         "answers": [units]}
        for place, item, units in (("Oslo", "rope", "90"), ("Bergen", "lantern", "45"),
                                   ("Oslo", "anvil", "1,200"), ("Bergen", "anvil", "300"))
    ]  # fmt: skip
    source = pilotfish.folder / "labelled-tables.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = pilotfish("tune", "tables", source, "--json").one
    assert told["used"] == 4 and 0 <= told["accuracy"] <= 1
    found = ask(pilotfish, "--table", "stock-7", "how many units of rope are in Oslo?")
    assert found["values"] == ["90"] and "calibrated here" in found["calibration"]
    source.write_text(json.dumps({**lines[0], "table": "no such table"}))
    assert "no such table" in pilotfish("tune", "tables", source, code=4).err


def test_claims_are_held_against_a_table(pilotfish: Pilotfish) -> None:
    source = pilotfish.folder / "claims.jsonl"
    claims = {"true": "the price of a lantern is 8.75", "false": "the price of a lantern is 3.20"}
    source.write_text("".join(
        json.dumps({"id": name, "claim": claim, "table": "stock-7"}) + "\n"
        for name, claim in claims.items()
    ))  # fmt: skip
    pilotfish("verify", source, "-o", "verdicts.jsonl")
    found = {
        line["id"]: line
        for line in map(json.loads, (pilotfish.folder / "verdicts.jsonl").read_text().splitlines())
    }
    assert found["true"]["supported"] > 0.5 > found["false"]["supported"]
    assert found["true"]["supported"] + found["true"]["contradicted"] == pytest.approx(1)
    source.write_text(json.dumps({"id": 1, "claim": "x", "table": "gone"}))
    assert "no table 'gone'" in pilotfish("verify", source, "-o", "x.jsonl", code=8).err


@pytest.fixture
def asks_sql(pilotfish: Pilotfish) -> Iterator[Callable[[str], dict[str, Any]]]:
    servers: list[LLMServer] = []

    def asked(sql: str, *more: str) -> dict[str, Any]:
        server = LLMServer(respond=lambda messages: sql)
        server.__enter__()
        servers.append(server)
        env = {"PILOTFISH_LLM__MODEL": "openai/test-model", "PILOTFISH_LLM__API_BASE": server.url,
               "OPENAI_API_KEY": "sk-test-not-a-real-key"}  # fmt: skip
        with_llm = Pilotfish(pilotfish.folder, pilotfish.workspace, env)
        question = "What is the total number of units in the Oslo warehouse over all items?"
        found = ask(with_llm, "--effort", "1", "--table", "stock-7", *more, question)
        found["requests"] = server.requests
        return found

    yield asked
    for server in servers:
        server.__exit__(None, None, None)


def test_sql_of_the_llm_is_run_shown_and_cites_the_rows_it_read(
    asks_sql: Callable[[str], dict[str, Any]],
) -> None:
    sql = 'SELECT sum("Units") FROM "stock_by_warehouse" WHERE "Warehouse" = \'Oslo\''
    found = asks_sql(f"```sql\n{sql}\n```")
    assert found["values"] == ["1290"] and found["model"] == "sql"
    (cited,) = found["citations"]
    assert cited["rows"] == [2, 3] and cited["values"][0] == ["Oslo", "anvil", "1,200", "12.50"]
    assert found["receipt"]["llm_calls"] == 1 and found["basis"]["features"]["sql"] == sql
    sent = found["requests"][0].body["messages"][-1]["content"]
    assert '"Units"' in sent or "Units" in sent


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE stock_by_warehouse",
        "ATTACH '/etc/passwd' AS x",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM no_such_table",
        "NONE",
        "I cannot do that, sorry.",
    ],
)
def test_sql_that_may_not_run_is_an_abstention_with_a_reason(
    asks_sql: Callable[[str], dict[str, Any]],
    sql: str,
) -> None:
    found = asks_sql(sql)
    assert found["status"] == "abstained" and found["receipt"]["llm_calls"] == 1
    assert "root:" not in json.dumps(found["trace"])


def test_the_llm_is_shown_where_an_entity_stands_in_its_hierarchy(
    pilotfish: Pilotfish, tmp_path: Path
) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    edges = [("Service", "Operations"), ("Workshop", "Operations"), ("Operations", "Fjord Ltd")]
    lines = "".join(f"{low}\tpart of\t{high}\n" for low, high in edges)
    (folder / "org.triples.tsv").write_text(lines)
    with LLMServer(respond=lambda messages: "I cannot answer from these documents.") as server:
        env = {"PILOTFISH_LLM__MODEL": "openai/test-model", "PILOTFISH_LLM__API_BASE": server.url,
               "OPENAI_API_KEY": "sk-test-not-a-real-key"}  # fmt: skip
        own = Pilotfish(folder, folder / ".pilotfish", env)
        own("add", "org.triples.tsv")
        ask(own, "--effort", "1", "Tell me all about Service, please.")
        sent = server.requests[0].body["messages"][-1]["content"]
    assert "Service — part of — Operations" in sent and "Operations — part of — Fjord Ltd" in sent


def test_the_examples_answer_as_the_readme_says(tmp_path: Path) -> None:
    own = Pilotfish(tmp_path, tmp_path / ".pilotfish")
    own("add", ROOT / "examples" / "structured")
    found = ask(own, "Which language does the manager of Bell Reach yard speak?")
    assert found["values"] == ["Danish"] and len(found["citations"]) == 2
    assert ask(own, "--table", "visits-2025", "who made the most visits?")["values"] == [
        "Cal Briscombe"
    ]


def test_what_left_the_documents_is_cited_no_more(pilotfish: Pilotfish, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "org.triples.tsv").write_text(TRIPLES)
    own = Pilotfish(folder, folder / ".pilotfish")
    own("add", "org.triples.tsv")
    assert ask(own, "Who manages Sales?")["values"] == ["Anna Berg"]
    (folder / "org.triples.tsv").write_text(TRIPLES.replace("Anna Berg", "Eva Lund"))
    own("add", "org.triples.tsv")
    assert ask(own, "Who manages Sales?")["values"] == ["Eva Lund"]
    own("remove", "org.triples.tsv")
    assert ask(own, "Who manages Sales?", code=0)["status"] == "abstained"
