"""`decompose`, and the recipe `multihop` from the command line: search, ask, batch, LLM calls."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.conftest import Pilotfish
from tests.llm_server import LLMServer

FILMS = {
    "sea.md": "# Sea of Glass\n\nSea of Glass is a 1971 drama film directed by Ann Harrow.",
    "mill.md": "# The Mill (1950 film)\n\nThe Mill is a 1950 film directed by Boris Stahl.",
    "ann.md": "# Ann Harrow\n\nAnn Harrow (3 May 1930 – 9 June 1999) was a British film director.",
    "boris.md": "# Boris Stahl\n\nBoris Stahl (born 1 April 1911) was a German film director.",
    "born.md": "# Directors\n\nMany a film director was born in May. A film has one of them.",
    "festival.md": "# Festival\n\nThe festival of film directors is held in Oslo each June.",
}
BORN = "When was the director of film Sea of Glass born?"
OLDER = "Which film has the director who was born first, Sea of Glass or The Mill (1950 Film)?"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Pilotfish:
    folder = tmp_path_factory.mktemp("films")
    (folder / "docs").mkdir()
    for name, text in FILMS.items():
        (folder / "docs" / name).write_text(text, encoding="utf-8")
    # What the answers are worth is not tested here: of two dates that stand side by side the
    # reader is not sure which is meant.
    pilotfish = Pilotfish(folder, folder / "workspace", {"PILOTFISH_ABSTAIN_BELOW": "0.05"})
    pilotfish("add", "docs")
    return pilotfish


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_decompose_needs_no_workspace(fresh: Pilotfish) -> None:
    lines(fresh.folder / "in.jsonl", {"id": 1, "question": BORN},
          {"id": "b", "question": "How do I reset it?"})  # fmt: skip
    fresh("decompose", "in.jsonl", "-o", "out.jsonl")
    rows = [json.loads(line) for line in (fresh.folder / "out.jsonl").read_text().splitlines()]
    assert rows == [
        {"id": 1, "hops": 2, "subquestions": [
            "Who is the director of the film Sea of Glass?", "When was #1 born?"]},
        {"id": "b", "hops": 1, "subquestions": ["How do I reset it?"]},
    ]  # fmt: skip
    assert not fresh.workspace.exists()
    assert fresh("decompose", "in.jsonl", "--rules").lines[1]["hops"] == 1


def test_decompose_names_all_bad_lines_at_once(fresh: Pilotfish) -> None:
    lines(fresh.folder / "in.jsonl", {"id": 1}, {"id": 2, "question": "Who?"}, [1],
          {"question": "Who?"}, {"id": 3, "question": " "})  # fmt: skip
    done = fresh("decompose", "in.jsonl", "-o", "out.jsonl", code=4)
    assert "lines 1, 3, 4, 5 are not" in done.err
    assert not (fresh.folder / "out.jsonl").exists()
    fresh("decompose", "nothing.jsonl", code=8)


@pytest.mark.slow
def test_search_by_recipe_finds_what_the_question_does_not_name(films: Pilotfish) -> None:
    found = films("search", BORN, "--recipe", "multihop", "-k", 3, "--json").lines
    assert {one["document"] for one in found} >= {"docs/sea.md", "docs/ann.md"}
    lines(films.folder / "q.jsonl", {"id": "q1", "text": BORN}, {"id": "q2", "question": OLDER})
    films("search", "--recipe", "multihop", "--queries", "q.jsonl", "-k", 5, "--run", "r.trec")
    rows = [line.split() for line in (films.folder / "r.trec").read_text().splitlines()]
    found = {row[2] for row in rows if row[0] == "q2"}
    assert found >= {"docs/sea.md", "docs/mill.md", "docs/ann.md", "docs/boris.md"}
    assert [row[3] for row in rows if row[0] == "q2"] == ["1", "2", "3", "4", "5"]


@pytest.mark.slow
def test_every_recipe_may_search_and_others_are_named(films: Pilotfish) -> None:
    for recipe in ("default", "plain"):
        assert films("search", BORN, "--recipe", recipe, "-k", 2, "--json").lines
    assert "multihop" in films("search", BORN, "--recipe", "multihup", code=4).err
    both = films("search", BORN, "--recipe", "default", "--retriever", "bm25", code=4)
    assert "leave --retriever or --recipe out" in both.err


@pytest.mark.slow
def test_the_answer_of_the_last_hop_cites_its_very_bytes(films: Pilotfish) -> None:
    told = films("ask", BORN, "--recipe", "multihop", "--json").one
    assert told["answer"]["text"] == "3 May 1930"
    cited, before = (one["source"] for one in told["answer"]["citations"])
    text = films("show", "docs/ann.md", "--json").one["text"]
    assert (cited["document"], text[cited["start"] : cited["end"]]) == (
        "docs/ann.md",
        cited["quote"],
    )
    assert "3 May 1930" in cited["quote"]
    assert before["document"] == "docs/sea.md" and "Ann Harrow" in before["quote"]


@pytest.mark.slow
def test_a_comparison_cites_both_and_a_batch_takes_the_recipe(films: Pilotfish) -> None:
    lines(films.folder / "in.jsonl", {"custom_id": "a", "question": OLDER},
          {"custom_id": "b", "question": "Where is the festival held?"})  # fmt: skip
    films("batch", "in.jsonl", "-o", "out.jsonl", "--recipe", "multihop")
    rows = [json.loads(line) for line in (films.folder / "out.jsonl").read_text().splitlines()]
    assert rows[0]["answer"] == "The Mill (1950 Film)"
    assert {one["document"] for one in rows[0]["citations"]} == {
        "docs/ann.md", "docs/boris.md", "docs/sea.md", "docs/mill.md",
    }  # fmt: skip
    assert rows[1]["answer"].startswith("Oslo")  # a single-hop question goes the plain way


def decomposing(messages: Sequence[Mapping[str, str]]) -> str:
    """An LLM that takes questions apart when told to, else refuses."""
    if "JSON list" in messages[0]["content"]:
        return '["Who is the director of Sea of Glass?", "When was #1 born?"]'
    return "I cannot answer from these documents."


@pytest.mark.slow
def test_an_llm_as_decomposer_costs_one_call_that_is_accounted(films: Pilotfish) -> None:
    with LLMServer(respond=decomposing) as server:
        asking = films.having(
            OPENAI_API_KEY="sk-test-not-a-real-key", PILOTFISH_DECOMPOSER="openai/test-model",
            PILOTFISH_LLM__API_BASE=server.url,
        )  # fmt: skip
        told = asking("ask", BORN, "--recipe", "multihop", "--json").one
        assert len(server.requests) == 1
        asking("ask", "Where is the festival held?", "--recipe", "multihop", "--json")
        assert len(server.requests) == 1  # nobody is asked about a single question
    assert told["answer"]["text"] == "3 May 1930"
    assert told["receipt"]["llm_calls"] == 1
    assert told["receipt"]["prompt_tokens"] > 0


@pytest.mark.slow
def test_the_one_prompt_has_what_the_hops_read(films: Pilotfish) -> None:
    with LLMServer(respond=decomposing) as server:
        films.asking(server)("ask", BORN, "--recipe", "multihop", "--json", code=None)
        (request,) = server.requests
    prompt = request.body["messages"][-1]["content"]
    assert "Who is the director of the film Sea of Glass? Ann Harrow" in prompt
    assert "When was Ann Harrow born?" not in prompt  # the LLM is to come to it by itself
    assert "form" not in prompt.split("Question:")[0].split("Hint (")[-1]
