"""Every recipe and every helper of prompts, end to end in the service, over the examples."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

import pytest

from tests.conftest import Pilotfish, quoted_by
from tests.llm_server import LLMServer
from tests.warm import ROOT
from tests.workers.conftest import Service, serving

pytestmark = pytest.mark.slow
STOCK = "What is the total number of visits that Cal Briscombe made in 2025?"
ASKED = {
    "default": "Which language does the manager of Bell Reach yard speak?",
    "multihop": "Where is the head of the department of Cal Briscombe based?",
    "single": "Within how many days may a lamp be returned?",
    "tables": STOCK,
    "classify": "The courier never came with my lamp.",
    "code": "How do I fetch the faults of a lamp with the tool?",
    "frugal": "How long is the warranty on a lamp?",
    "thorough": "How long is the warranty on a lamp?",
    "plain": "How long is the warranty on a lamp?",
}
# What each recipe must have done, by the steps of its trace.
STEPS = {
    "default": "hops", "multihop": "hops", "single": "rerank", "tables": "sql prompt",
    "classify": "classifier", "code": "manual", "frugal": "prune", "thorough": "contrast",
    "plain": "fuse",
}  # fmt: skip


def replied(messages: Sequence[Mapping[str, str]]) -> str:
    if "Write one SELECT" in messages[0]["content"]:
        return "SELECT 1"
    return quoted_by(messages)


@pytest.fixture(scope="module")
def player() -> Iterator[LLMServer]:
    with LLMServer(respond=replied) as server:
        yield server


@pytest.fixture(scope="module")
def service(player: LLMServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("recipes")
    own = Pilotfish(folder, folder / ".pilotfish")
    own("add", ROOT / "examples" / "documents", ROOT / "examples" / "structured")
    texts = [("the courier never came", "delivery"), ("my parcel is late", "delivery"),
             ("the lamp does not light", "fault"), ("a seal is broken", "fault")]  # fmt: skip
    lines = [{"text": f"{text} {n}", "label": label} for n in range(12) for text, label in texts]
    (folder / "desk.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    own("tune", "classifier", "desk", "desk.jsonl")
    own("tune", "demos", "desk.jsonl", "--name", "desk")
    (folder / "pilotfish.toml").write_text(
        'classifier = "desk"\ndemos = "desk"\ncards = ["glossary"]\nrationale = true\n'
        'rewrite = ["spelling", "abbreviations", "turns", "feedback"]\n'
    )
    with serving(own.asking(player, PILOTFISH_EXTRACT_ABOVE="0.99"), folder, folder) as made:
        yield made


@pytest.mark.parametrize("recipe", ASKED)
def test_a_recipe_runs_in_the_service(service: Service, recipe: str) -> None:
    body = {"question": ASKED[recipe], "recipe": recipe}
    if recipe == "tables":
        body["table"] = "visits-2025"
    line = service.post("/v1/answers", body).json
    assert line["status"] in {"answered", "abstained"}, line
    with sqlite3.connect(service.workspace / "pilotfish.db") as database:
        (stored,) = database.execute("SELECT result FROM items ORDER BY id DESC LIMIT 1").fetchone()
    steps = {event["step"] for event in json.loads(stored)["trace"]}
    assert STEPS[recipe] in steps, steps


def test_the_helpers_of_the_prompt_are_in_what_the_llm_read(
    service: Service, player: LLMServer
) -> None:
    before = len(player.requests)
    body = {"question": "What does TLW mean, and when does it open?", "effort": 1.0}
    service.post("/v1/answers", body)
    sent = [one.body["messages"][-1]["content"] for one in player.requests[before:]]
    assert len(sent) == 1 and "Hint (rationale, not a source)" in sent[0]
