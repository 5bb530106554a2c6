"""`tune search`: kept where it helps, told where it does not, and what it says of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Pilotfish
from tests.llm_server import LLMServer

pytestmark = pytest.mark.slow
TOWNS = ["Aldbury", "Brackley", "Caxton", "Dunmow", "Elmdon", "Fowey", "Goring", "Hexham"]
THINGS = ["harbour", "bridge", "market", "chapel", "windmill", "library", "granary", "school"]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Pilotfish:
    """64 documents, each about one thing of one town."""
    folder = tmp_path_factory.mktemp("search")
    rows = [{"id": f"{town}-{thing}", "title": f"The {thing} of {town}",
             "text": f"In {town} the {thing} was rebuilt in {1700 + 8 * a + b}."}
            for a, town in enumerate(TOWNS) for b, thing in enumerate(THINGS)]  # fmt: skip
    (folder / "docs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pilotfish = Pilotfish(folder, folder / "workspace")
    pilotfish("add", "docs.jsonl")
    return pilotfish


def pairs(folder: Path, away: int) -> str:
    """Questions that name one thing and mean that of the town `away` places on."""
    lines = []
    for a, town in enumerate(TOWNS):
        for thing in THINGS:
            meant = TOWNS[(a + away) % len(TOWNS)]
            lines.append({"question": f"{thing} {town} year", "document": f"{meant}-{thing}"})
    (folder / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return "pairs.jsonl"


def test_what_helps_is_kept_listed_used_and_forgotten(tuned: Pilotfish) -> None:
    done = tuned("tune", "search", pairs(tuned.folder, 1), "--json")
    told = json.loads(done.out)
    assert told["kept"] and told["pairs"] == 64
    assert told["after, held back"] > told["nDCG@10 before"]
    listed = json.loads(tuned("helpers", "--json").out)
    assert listed["name"] == "search" and listed["measured"]["pairs"] == 64
    query = ("search", "windmill Caxton year", "--retriever", "dense", "-k", "64", "--json")
    after = [json.loads(line)["document"] for line in tuned(*query).out.splitlines()]
    assert "forgotten" in tuned("tune", "search", "--forget").err
    before = [json.loads(line)["document"] for line in tuned(*query).out.splitlines()]
    assert after.index("Dunmow-windmill") < before.index("Dunmow-windmill")


def test_what_does_not_help_changes_nothing_and_says_why(tuned: Pilotfish) -> None:
    done = tuned("tune", "search", pairs(tuned.folder, 0))
    assert done.err.startswith("not kept, nothing changes: ")
    assert "nothing was fitted" in tuned("helpers").err


def test_all_bad_lines_are_named_at_once(tuned: Pilotfish) -> None:
    text = '{"question": "a?"}\nno\n{"document": "d"}\n{"question": "b?", "document": "d"}\n'
    (tuned.folder / "bad.jsonl").write_text(text)
    done = tuned("tune", "search", "bad.jsonl", code=4)
    assert "3 lines cannot be learned from" in done.err and "line 2: not valid JSON" in done.err


def test_documents_that_are_not_there_are_told(tuned: Pilotfish) -> None:
    (tuned.folder / "none.jsonl").write_text('{"question": "b?", "document": "nowhere"}\n')
    done = tuned("tune", "search", "none.jsonl", code=4)
    assert "no document or passage that the pairs name" in done.err


def test_an_llm_writes_questions_one_call_a_passage_and_only_those_that_come_back_stay(
    tuned: Pilotfish,
) -> None:
    with LLMServer() as server:
        asking(tuned, server)


def asking(tuned: Pilotfish, server: LLMServer) -> None:
    tuned.env.update({
        "PILOTFISH_LLM__MODEL": "openai/test-model", "PILOTFISH_LLM__API_BASE": server.url,
        "OPENAI_API_KEY": "x",
    })  # fmt: skip
    before = len(server.requests)
    told = json.loads(tuned("tune", "search", "--llm", "5", "--json").out)
    assert len(server.requests) - before == 5
    assert told["source"] == "llm" and told["pairs"] <= 5 and not told["kept"]
