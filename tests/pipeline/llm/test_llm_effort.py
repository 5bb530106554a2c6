"""What may follow an answer costs no LLM call when the question says effort 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pilotfish.settings import Settings
from pilotfish.step import run
from pilotfish.types import Answer, Case, Limits, Question
from pipeline.flow import Chain
from pipeline.library import Library
from pipeline.purse import Purse
from pipeline.wiring import llm_tiers, render, second_try
from retrievers.bm25 import BM25
from tests.conftest import ASKED, Pilotfish
from tests.llm_server import LLMServer

MODEL = "openai/test-model"


@pytest.fixture
def library(shared: Pilotfish, server: LLMServer) -> Iterator[Library]:
    llm = {"model": MODEL, "api_base": server.url, "attempts": 1}
    checks = {"retry": True, "corrector": MODEL}
    library = Library(Settings(workspace=shared.workspace, llm=llm, checks=checks))
    yield library
    library.database.close()


@pytest.mark.slow
@pytest.mark.parametrize(("effort", "calls"), [(None, 2), (0.5, 2), (0.0, 0)])
def test_an_unsettled_answer_is_tried_again_unless_effort_is_0(
    library: Library, server: LLMServer, effort: float | None, calls: int
) -> None:
    purse = Purse(library.database, "default", library.collection().id)
    limits = Limits(effort=effort, max_calls=5)
    case = run(BM25(library.shelf, 1), Case(Question(ASKED, limits=limits)))
    case = replace(run(render(library.parts), case), answer=Answer("Who knows?", abstained=True))
    steps = second_try(library.parts, purse, llm_tiers(library.parts, purse))
    run(Chain(steps), case)
    assert len(server.requests) == calls
