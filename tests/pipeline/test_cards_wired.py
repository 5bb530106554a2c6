"""Cards, demonstrations and rationales in the one prompt that goes out, and what they cost."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.conftest import Pilotfish
from tests.llm_server import LLMServer

pytestmark = pytest.mark.slow
NOTE = "# Works\n\nThe Tidelamp Works (TLW) opens at eight. The TLW has two cranes and a slip.\n"
ASKED = "When does the TLW open?"


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Pilotfish:
    folder = tmp_path_factory.mktemp("works")
    (folder / "works.md").write_text(NOTE)
    made = Pilotfish(folder, folder / ".pilotfish")
    made("add", "works.md")
    return made


def sent(server: LLMServer) -> list[str]:
    return [request.body["messages"][-1]["content"] for request in server.requests]


def asking(works: Pilotfish, server: LLMServer, **more: object) -> Pilotfish:
    return works.having(
        PILOTFISH_LLM__MODEL="openai/test-model", PILOTFISH_LLM__API_BASE=server.url,
        OPENAI_API_KEY="k", PILOTFISH_EXTRACT_ABOVE="1", **more,
    )  # fmt: skip


def test_the_glossary_is_printed_with_places(works: Pilotfish) -> None:
    (row,) = works("glossary", "--json").lines
    assert (row["term"], row["meaning"], row["document"]) == ("TLW", "Tidelamp Works", "works.md")
    assert "TLW: Tidelamp Works" in works("glossary").out


def test_a_card_of_the_glossary_and_a_rationale_steer_the_one_call(works: Pilotfish) -> None:
    with LLMServer(respond=lambda messages: "I cannot answer from these documents.") as server:
        asked = asking(works, server, PILOTFISH_CARDS="glossary", PILOTFISH_RATIONALE="true")
        asked("ask", ASKED, "--json", code=None)
        (prompt,) = sent(server)
    assert "Hint (card, not a source): TLW: Tidelamp Works (glossary)" in prompt
    assert "Hint (rationale, not a source): think along these sentences:" in prompt


def test_a_card_written_by_a_model_costs_a_call_of_its_own(works: Pilotfish) -> None:
    def respond(messages: object) -> str:
        return (
            "The Tidelamp Works opens at eight." if "general knowledge" in str(messages) else "no"
        )

    with LLMServer(respond=respond) as server:
        asked = asking(works, server, PILOTFISH_CARDS="model:openai/domain-model")
        found = asked("ask", ASKED, "--json", code=None).one
        prompts = sent(server)
    assert len(prompts) == 2 and found["receipt"]["llm_calls"] == 2
    assert "written by a model" in prompts[1]


def test_nobody_pays_for_a_card_where_the_small_models_answer(works: Pilotfish) -> None:
    with LLMServer(respond=lambda messages: "The Tidelamp Works opens at eight.") as server:
        asked = asking(works, server, PILOTFISH_CARDS="model:openai/domain-model")
        easy = asked.having(PILOTFISH_EXTRACT_ABOVE="0")
        found = easy("ask", "How many cranes does the TLW have?", "--json").one
        assert sent(server) == [] and found["receipt"]["llm_calls"] == 0


def test_demonstrations_stand_before_the_question(works: Pilotfish) -> None:
    rows = [{"input": f"When does shop {n} open?", "output": f"at {n}"} for n in range(6)]
    (works.folder / "demos.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = works("tune", "demos", "demos.jsonl", "--name", "shops", "--json").one
    assert told["demonstrations"] == 6 and told["gates"] == {"": "dense"}
    with LLMServer(respond=lambda messages: "I cannot answer from these documents.") as server:
        asked = asking(works, server, PILOTFISH_DEMOS="shops", PILOTFISH_DEMOS_SHOWN="2")
        asked("ask", ASKED, "--json", code=None)
        (prompt,) = sent(server)
    assert prompt.count("Input: When does shop") == 2
    assert prompt.index("Output: at") < prompt.index(f"Question: {ASKED}")


def test_mistakes_are_told_in_a_line(works: Pilotfish, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"input": "x"}\nno\n')
    refused = works("tune", "demos", tmp_path / "bad.jsonl", code=4)
    assert "line 1: no field 'output'" in refused.err and "line 2: not valid JSON" in refused.err
    with LLMServer(respond=lambda messages: "no") as server:
        wrong = asking(works, server, PILOTFISH_CARDS="gossip")
        assert "no card 'gossip'" in wrong("ask", ASKED, code=3).err
        gone = asking(works, server, PILOTFISH_DEMOS="nowhere")
        assert "no demonstrations 'nowhere'" in gone("ask", ASKED, code=None).err


def test_a_card_model_that_is_away_does_not_end_the_question(works: Pilotfish) -> None:
    with LLMServer(respond=lambda messages: "no") as server:
        server.script("status:400")
        asked = asking(works, server, PILOTFISH_CARDS="model:openai/domain-model")
        done = asked("ask", "Which shift opens the TLW?", "--json", code=None)
    assert [request.body["model"] for request in server.requests] == ["domain-model", "test-model"]
    assert done.code == 0 and done.one["status"] == "abstained"


def test_another_collection_offers_its_sentences_and_is_never_cited(
    works: Pilotfish,
) -> None:
    (works.folder / "terms.md").write_text(
        "# Terms\n\nA slip is a ramp on which ships of the works are built. Lunch is at noon.\n"
    )
    works("--collection", "terms", "add", "terms.md")
    asked_of = "What does the TLW have beside its two cranes, and is a slip a ramp?"
    (works.folder / "asked.jsonl").write_text(json.dumps({"id": "a", "question": asked_of}))
    with LLMServer(respond=lambda messages: "The TLW has two cranes and a slip.") as server:
        asked = asking(works, server, PILOTFISH_CARDS="collection:terms")
        asked("batch", "asked.jsonl", "-o", "told.jsonl", code=None)
        (prompt,) = sent(server)
        assert "Hint (card, not a source): Terms: A slip is a ramp on which ships" in prompt
        told = (works.folder / "told.jsonl").read_text()
        assert "terms.md" not in json.dumps(json.loads(told)["citations"])
        works("--collection", "terms", "remove", "terms.md")
        with sqlite3.connect(works.workspace / "pilotfish.db") as database:
            states = database.execute("SELECT state, result FROM items").fetchall()
            replies = database.execute("SELECT reply FROM ledger").fetchall()
        assert states == [("forgotten", "null")]
        assert all(reply is None for (reply,) in replies if reply is None or "slip" in reply)
    refused = asking(works, server, PILOTFISH_CARDS="collection:none")("ask", ASKED, code=3)
    assert "no other collection is called 'none'" in refused.err
