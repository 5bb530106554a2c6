"""The command line with its vectors in a Postgres: set by the environment, and told nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.conftest import Pilotfish
from tests.retrievers import pg_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not pg_server.OFFERED, reason="pgserver has no Postgres for this Python"),
]
STORE = "llama_index.vector_stores.postgres:PGVectorStore"
SECRET = "hunter2-hunter2"


@pytest.fixture(scope="module")
def server() -> Iterator[pg_server.Server]:
    one = pg_server.Server()
    yield one
    one.remove()


def test_the_command_line_keeps_its_vectors_where_it_is_told(
    mine: Pilotfish, server: pg_server.Server
) -> None:
    options = server.options("wired", embed_dim=384)
    for name in ("connection_string", "async_connection_string"):
        options[name] = options[name].replace("postgres@", f"postgres:{SECRET}@")
    here = mine("--json", "search", "harbour office", "--retriever", "dense").lines
    there = mine.having(
        PILOTFISH_DENSE__STORE=STORE, PILOTFISH_DENSE__STORE_OPTIONS=json.dumps(options)
    )
    shown = there("config", "show")
    assert SECRET not in shown.out and "[redacted]" in shown.out
    found = there("--json", "search", "harbour office", "--retriever", "dense").lines
    assert [one["id"] for one in found] == [one["id"] for one in here]
    rows, _ = server.count("wired")
    there("remove", "n-1")
    assert server.count("wired")[0] == rows - 1
    assert f"in {STORE}" in there("doctor").out
    there("reindex")
    there("doctor")
    server.stop()
    try:
        done = there("search", "harbour", "--retriever", "dense", code=7)
        assert "is it running" in done.err and SECRET not in done.err
    finally:
        server.start()
