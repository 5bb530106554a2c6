"""Who scores demonstrations: a hosted LLM within its calls, a local model, nobody unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.demo_fit import _pairs, alike
from prompters.demonstrations.pool import Demo, Pool
from tests.conftest import Pilotfish
from tests.llm_server import LLMServer
from tests.models.causal_folder import made


def test_the_worst_of_graded_scores_are_the_lowest_and_never_the_best() -> None:
    rows = np.eye(6, dtype=np.float32)
    pool = Pool(tuple(Demo(f"i{n}", "x") for n in range(6)), rows, ("e", "f"))

    def graded(asked: Demo, vector: object, shown: Demo) -> float:
        return int(shown.input[1]) / 10

    asked, best, worst = _pairs(pool, range(6), [0], graded, 60)
    assert len(asked) == 1 and best[0].tolist() == rows[5].tolist()
    assert worst[0][0].tolist() == rows[1].tolist()
    assert rows[5].tolist() not in worst[0].tolist()
    same, _, _ = _pairs(pool, range(6), [0], alike, 60)
    assert not len(same)  # nothing tells them apart


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Pilotfish:
    folder = tmp_path_factory.mktemp("scored")
    (folder / "note.md").write_text("The harbour opens at seven.\n")
    rows = [{"input": f"pump {n} is {'blue' if n % 2 else 'red'}", "output": "AB"[n % 2]}
            for n in range(48)]  # fmt: skip
    (folder / "demos.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    own = Pilotfish(folder, folder / ".pilotfish")
    own("add", "note.md")
    return own


@pytest.mark.slow
def test_a_hosted_llm_scores_as_many_pairs_as_it_is_given_calls(works: Pilotfish) -> None:
    with LLMServer(respond=lambda messages: "A") as server:
        own = works.having(PILOTFISH_LLM__API_BASE=server.url, OPENAI_API_KEY="k")
        told = own("tune", "demos", "demos.jsonl", "--scorer", "llm:openai/test-model",
                   "--calls", 20, "--json").one  # fmt: skip
        assert told["demonstrations"] == 48 and len(server.requests) == 16  # 2 inputs, 8 candidates
        asked = server.requests[0].body["messages"][-1]["content"]
    assert asked.startswith("Input: pump") and asked.endswith("Output: ")
    assert works("usage", "--json").lines[0]["llm_calls"] == 16


@pytest.mark.slow
def test_a_local_model_scores_by_likelihood(works: Pilotfish, tmp_path: Path) -> None:
    own = replace(works, before=lambda: None)  # torch's threads do not live through a fork
    name = f"local:{made(tmp_path)}"
    told = own("tune", "demos", "demos.jsonl", "--scorer", name, "--json").one
    assert told["demonstrations"] == 48
    assert set(told["gates"].values()) <= {"none", "dense", "tuned"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scorer", "told"),
    [("nobody", "there are reader"), ("llm:openai/x", "--calls"), ("local:none", "causal")],
)
def test_a_scorer_that_cannot_score_is_told(works: Pilotfish, scorer: str, told: str) -> None:
    assert told in works("tune", "demos", "demos.jsonl", "--scorer", scorer, code=None).err
