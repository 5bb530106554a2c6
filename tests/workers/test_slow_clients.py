"""Clients that are slow on purpose: their connections end in time, and nobody waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ASKED, Pilotfish, quoted_by
from tests.llm_server import LLMServer
from tests.workers.conftest import Service, serving

pytestmark = pytest.mark.slow
PATIENCE, SLOW = 2.0, 50
HEAD = b"GET /v1/jobs HTTP/1.1\r\nhost: localhost\r\nx-slow: "
WHOLE = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"
REFUSED = b"POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n{"
Ended = tuple[float, bytes]  # seconds until the connection was closed, and what came


@pytest.fixture(scope="module")
def hasty(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of little patience, and an LLM that takes longer than that."""
    folder = tmp_path_factory.mktemp("hasty")
    shutil.copytree(pristine, folder / "workspace")
    with LLMServer(respond=quoted_by, latency=PATIENCE + 1) as llm:
        pilotfish = Pilotfish(folder, folder / "workspace").asking(llm)
        with serving(pilotfish, folder, PILOTFISH_SERVICE__HEADER_SECONDS=PATIENCE) as made:
            yield made.made_key()


async def slow(service: Service, begin: bytes, drip: bytes) -> Ended:
    """One connection that sends `begin` and then a byte a second, until it is closed."""
    began, came = time.monotonic(), b""
    reader, writer = await asyncio.open_connection(service.host, service.port)
    writer.write(begin)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(10 * PATIENCE):
            while True:
                try:
                    block = await asyncio.wait_for(reader.read(65536), 1.0)
                except TimeoutError:
                    writer.write(drip)
                    continue
                if not block:
                    break
                came += block
    writer.close()
    return time.monotonic() - began, came


async def many(service: Service, begin: bytes, drip: bytes) -> list[Ended]:
    """Fifty such at once, while others are served as always."""
    ones = asyncio.gather(*[slow(service, begin, drip) for _ in range(SLOW)])
    while not ones.done():
        asked = time.monotonic()
        reply = await asyncio.to_thread(service.get, "/v1/jobs")
        assert reply.status == 200 and time.monotonic() - asked < 2
        await asyncio.sleep(0.1)
    return await ones


@pytest.mark.parametrize(("begin", "drip", "answered"), [
    (HEAD, b"a", b"HTTP/1.1 408 "),  # a head without an end
    (b"", b"G", b"HTTP/1.1 408 "),  # from the first byte on
    (b"", b"", b""),  # not a word
    (b"GET /livez HTTP/1.1\r\n", b"x", b"HTTP/1.1 408 "),
    (WHOLE + HEAD, b"a", b"HTTP/1.1 200 "),  # the head of a second request
    (REFUSED, b" ", b"HTTP/1.1 401 "),  # a body that nobody waits for any more
], ids=["head", "letters", "silent", "headers", "second", "body"])  # fmt: skip
def test_slow_connections_are_closed_in_time_and_others_are_served(
    hasty: Service, begin: bytes, drip: bytes, answered: bytes
) -> None:
    found = asyncio.run(many(hasty, begin, drip))
    assert len(found) == SLOW
    # uvicorn's own 5 s may count first, from its answer to the next byte
    assert max(seconds for seconds, _ in found) < PATIENCE + 4
    for _, came in found:
        assert came.startswith(answered) if answered else not came


def test_an_answer_may_take_longer_and_so_may_the_pause_before_the_next_question(
    hasty: Service,
) -> None:
    connection = http.client.HTTPConnection(hasty.host, hasty.port, timeout=30)
    headers = {"authorization": f"Bearer {hasty.key}", "content-type": "application/json"}
    try:
        for _ in range(2):
            began = time.monotonic()
            body = b'{"question": "%s"}' % f"{ASKED} {began}".encode()
            connection.request("POST", "/v1/answers", body, headers)
            reply = connection.getresponse()
            assert reply.status == 200 and b"30 days" in reply.read()
            assert time.monotonic() - began > PATIENCE
            time.sleep(PATIENCE + 0.5)
    finally:
        connection.close()


def test_a_head_in_pieces_is_taken_when_it_is_whole_in_time(hasty: Service) -> None:
    with socket.create_connection((hasty.host, hasty.port), 10) as connection:
        for piece in (b"GET /livez HT", b"TP/1.1\r\nhost: loc", b"al\r\nconnection: close\r\n\r\n"):
            connection.sendall(piece)
            time.sleep(PATIENCE / 5)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
