"""Clients with an embedded engine of their own, for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilotfish import Client
from tests.llm_server import LLMServer

SETTINGS = {"llm.model": "openai/test-model", "extract_above": 1.0, "service.lease": 2}


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """What the embedded engine inherits."""
    kept = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


@contextmanager
def embedded(workspace: Path, llm: LLMServer, **more: object) -> Iterator[Client]:
    """A Client with its own engine on this workspace."""
    settings = SETTINGS | {"llm.api_base": llm.url} | more
    with environment({"OPENAI_API_KEY": "sk-test-not-a-real-key"}):
        with Client(workspace=workspace, settings=settings) as client:
            yield client
