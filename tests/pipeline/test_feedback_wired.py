"""A second try looks for what the first answer left unsupported (DaSLaM's feedback)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import BLOCK, Pilotfish
from tests.llm_server import LLMServer

pytestmark = pytest.mark.slow
ASKED = "When does the office of branch 7 open?"


def test_what_no_passage_carried_is_searched_before_the_llm_is_asked_again(tmp_path: Path) -> None:
    rows = [{"id": f"b{n}", "text": f"The office of branch {n} opens at {n} in the morning."}
            for n in range(1, 81)]  # fmt: skip
    rows.append({"id": "old", "text": "The old lighthouse at Kesk was given away in 1987."})
    (tmp_path / "notes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    prompts: list[str] = []

    def reply(messages: list[dict[str, str]]) -> str:
        prompts.append(messages[-1]["content"])
        key = next(match[1] for match in BLOCK.finditer(prompts[-1]))
        return (f"The office of branch 7 opens at 7 in the morning [{key}]. "
                f"The old lighthouse at Kesk was sold in 1986 [{key}].")  # fmt: skip

    own = Pilotfish(tmp_path, tmp_path / ".pilotfish")
    own("add", "notes.jsonl")
    with LLMServer(respond=reply) as server:  # type: ignore[arg-type]
        asking = own.asking(server, PILOTFISH_CHECKS__RETRY="true", PILOTFISH_CHECKS__REPAIR="keep")
        asking("ask", ASKED, "--json", "--effort", "1", code=None)
    assert len(prompts) == 2
    assert "lighthouse" not in prompts[0] and "given away in 1987" in prompts[1]
