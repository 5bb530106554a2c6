"""LlamaIndex drives the running engine through our adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish import Client
from tests.conftest import ASKED, UNANSWERABLE, quoted_by
from tests.llm_server import LLMServer
from tests.pilotfish.clients import embedded

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(
    pristine: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Client, LLMServer]]:
    """The embedded engine on the shared collection."""
    import shutil

    workspace = tmp_path_factory.mktemp("llama") / "workspace"
    shutil.copytree(pristine, workspace)
    with LLMServer(respond=quoted_by) as llm, embedded(workspace, llm) as made:
        yield made, llm


def test_our_retriever_gives_nodes_with_scores_and_offsets(
    client: tuple[Client, LLMServer],
) -> None:
    from pilotfish.adapters.llama_index import PilotfishRetriever

    retriever = PilotfishRetriever(client[0], 3)
    found = retriever.retrieve("returned goods")
    assert len(found) == 3 and found[0].metadata["document"].endswith("returns.md")
    text = client[0].document(found[0].metadata["document"]).text
    node = found[0].node
    assert text is not None
    assert text[node.start_char_idx : node.end_char_idx] == node.get_content()  # type: ignore[attr-defined]
    again = asyncio.run(retriever.aretrieve("returned goods"))
    assert [one.node_id for one in again] == [one.node_id for one in found]


def test_our_query_engine_answers_with_quotes_as_sources(
    client: tuple[Client, LLMServer],
) -> None:
    from pilotfish.adapters.llama_index import PilotfishQueryEngine

    engine = PilotfishQueryEngine(client[0], collection="default")
    found = engine.query(ASKED)
    assert "30 days" in str(found) and found.metadata is not None
    assert found.metadata["status"] == "answered"
    assert found.source_nodes[0].get_content() in str(found)
    assert str(asyncio.run(engine.aquery(ASKED))) == str(found)


def test_our_query_engine_says_when_the_documents_do_not_answer(
    client: tuple[Client, LLMServer],
) -> None:
    from pilotfish.adapters.llama_index import ABSTAINED, PilotfishQueryEngine

    found = PilotfishQueryEngine(client[0]).query(UNANSWERABLE)
    assert str(found) == ABSTAINED and not found.source_nodes
    assert found.metadata is not None and found.metadata["status"] == "abstained"


def test_our_retriever_serves_an_engine_of_llama_index(client: tuple[Client, LLMServer]) -> None:
    from llama_index.core import get_response_synthesizer
    from llama_index.core.llms import MockLLM
    from llama_index.core.query_engine import RetrieverQueryEngine

    from pilotfish.adapters.llama_index import PilotfishRetriever

    synthesizer = get_response_synthesizer(llm=MockLLM())
    engine = RetrieverQueryEngine(PilotfishRetriever(client[0], 2), synthesizer)
    found = engine.query(ASKED)
    assert "30 days" in str(found) and len(found.source_nodes) == 2
