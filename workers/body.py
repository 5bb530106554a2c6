"""Guards the reading of a request's body: its size, announced or not, and its pace.

Not here: what is in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

GRACE_SECONDS = 30.0  # for a small body, and between two blocks of a large one
SLOWEST = 20_000  # bytes a second that a large body must keep up
LINGER_SECONDS = 2.0  # how long the rest of a refused body is still read, and thrown away


class Guarded:
    """A `receive` that gives up on bodies that are too large or too slow."""

    def __init__(self, receive: Receive, limit: int, announced: str | None) -> None:
        self._receive, self._limit = receive, limit
        self._read, self._begun, self._whole = 0, time.monotonic(), False
        if announced is not None and announced.isascii() and announced.isdigit():
            self._check(int(announced) if len(announced) < 19 else limit + 1)

    async def __call__(self) -> Message:
        if self._whole:  # what comes now is only that the client has gone
            return await self._receive()
        allowed = GRACE_SECONDS + self._read / SLOWEST - (time.monotonic() - self._begun)
        try:
            message = await asyncio.wait_for(
                self._receive(), max(0.01, min(allowed, GRACE_SECONDS))
            )
        except TimeoutError:
            raise _given_up(408, "the body came too slowly: send it again") from None
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            self._check(self._read)
        return message

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise _given_up(413, f"the body is over {self._limit:,} bytes: send it in parts")


async def drained(receive: Receive, expecting: bool) -> None:
    """Throw away what is still coming, for a short while, before a body's refusal is sent.

    A client that writes into a closed connection often never reads the answer. One that waits
    for "100 Continue" (`expecting`) has sent nothing and must not be asked to.
    """
    if expecting:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass


def _given_up(status: int, text: str) -> HTTPException:
    """FastAPI passes these on whatever it is doing; the rest of the body is not read."""
    return HTTPException(status, text, {"connection": "close"})
