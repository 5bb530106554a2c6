"""How the LLM server answers one request: well, or in one of the ways in which providers fail.

A mode is `name` or `name:argument`; MODES lists them. Not here: which request meets which mode,
and the counting (llm_server.py).
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

BLOCK = re.compile(r"\[(k[a-z2-7]+)\] (.*?) \[/\1\]", re.S)
LOST = "I cannot answer from these documents."
REASONS = {200: "OK", 404: "Not Found", 422: "Unprocessable Entity", 429: "Too Many Requests"}
HANG_SECONDS = 3600.0


@dataclass(slots=True)
class Exchange:
    """One request and the way to answer it; `over`: the connection is to be closed."""

    writer: asyncio.StreamWriter
    headers: Mapping[str, str]
    body: dict[str, Any]
    over: bool = False

    @property
    def prompt(self) -> str:
        """All that was said, as one text."""
        return "\n".join(str(each.get("content")) for each in self.body.get("messages") or ())

    def json(self, body: object, status: int = 200, **more: str) -> None:
        self.send(json.dumps(body).encode(), status, None, **more)

    def send(
        self, content: bytes, status: int = 200, length: int | None = None, **more: str
    ) -> None:
        """Status, headers and content; `length` may promise more than there is."""
        size = len(content) if length is None else length
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", f"Content-Length: {size}"]
        lines += ["Content-Type: application/json"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
        with suppress(ConnectionError):
            self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + content)

    def reset(self) -> None:
        """Close with RST, not FIN."""
        self.over = True
        raw = self.writer.get_extra_info("socket")
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def quoted(prompt: str) -> str:
    """The first sentence of the first passage, with its key."""
    found = BLOCK.search(prompt)
    if found is None:
        return LOST
    return f"{found.group(2).split('. ')[0].rstrip('.').strip()} [{found.group(1)}]."


def completion(exchange: Exchange, text: object = None, finish: str = "stop") -> dict[str, Any]:
    """The body of a chat completion, with a usage that counts words."""
    said = quoted(exchange.prompt) if text is None else text
    prompt, spoken = len(exchange.prompt.split()), len(str(said).split())
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1,
        "model": exchange.body.get("model", "test-model"),
        "choices": [{"index": 0, "finish_reason": finish,
                     "message": {"role": "assistant", "content": said}}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": spoken,
                  "total_tokens": prompt + spoken},
    }  # fmt: skip


async def _ok(exchange: Exchange, _: str) -> None:
    exchange.json(completion(exchange))


async def _limited(exchange: Exchange, wait: str) -> None:
    more = {"Retry_After": wait} if wait else {}
    _refuse(exchange, 429, "Rate limit reached", "rate_limit_exceeded", **more)


async def _status(exchange: Exchange, status: str) -> None:
    _refuse(exchange, int(status or 500), f"status {status or 500}", "server_error")


async def _policy(exchange: Exchange, _: str) -> None:
    text = "Rejected by our content management policy"
    _refuse(exchange, 400, text, "content_policy_violation")


def _refuse(exchange: Exchange, status: int, message: str, code: str, **more: str) -> None:
    # Real providers repeat a part of the key; this one repeats it all, to catch leaks.
    message += f" (sent: {exchange.headers.get('authorization')})"
    error = {"message": message, "type": code, "code": code, "param": None}
    exchange.json({"error": error}, status, **more)


async def _hang(exchange: Exchange, seconds: str) -> None:
    await asyncio.sleep(float(seconds or HANG_SECONDS))
    exchange.json(completion(exchange))


async def _drip(exchange: Exchange, seconds: str) -> None:
    content = json.dumps(completion(exchange)).encode()
    exchange.send(b"", length=len(content))
    for start in range(0, len(content), 8):
        exchange.writer.write(content[start : start + 8])
        await asyncio.sleep(float(seconds or 60) * 8 / len(content))


async def _reset(exchange: Exchange, _: str) -> None:
    exchange.send(b'{"id": "chat', length=1000)
    with suppress(ConnectionError):
        await exchange.writer.drain()
    await asyncio.sleep(0.05)
    exchange.reset()


async def _drop(exchange: Exchange, _: str) -> None:
    exchange.over = True


async def _truncated(exchange: Exchange, _: str) -> None:
    exchange.send(json.dumps(completion(exchange)).encode()[:-60])


async def _no_choices(exchange: Exchange, _: str) -> None:
    exchange.json({**completion(exchange), "choices": []})


async def _wrong_usage(exchange: Exchange, _: str) -> None:
    wrong = {"prompt_tokens": 0, "completion_tokens": -5, "total_tokens": 1}
    exchange.json({**completion(exchange), "usage": wrong})


async def _broken_usage(exchange: Exchange, _: str) -> None:
    wrong = {"prompt_tokens": -5, "completion_tokens": "many", "total_tokens": None}
    exchange.json({**completion(exchange), "usage": wrong})


async def _filtered(exchange: Exchange, _: str) -> None:
    exchange.json(completion(exchange, "", "content_filter"))


async def _in_200(exchange: Exchange, _: str) -> None:
    exchange.json({"error": {"message": "upstream is overloaded", "code": 502}})


MODES: dict[str, Callable[[Exchange, str], Awaitable[None]]] = {
    "ok": _ok,
    "429": _limited,  # 429:SECONDS sends Retry-After
    "status": _status,  # status:529
    "policy": _policy,  # 400, refused by a content filter
    "hang": _hang,  # hang:SECONDS, then ok
    "drip": _drip,  # drip:SECONDS over the whole body
    "reset": _reset,  # RST in the middle of the body
    "drop": _drop,  # closes without an answer
    "truncated": _truncated,  # JSON that breaks off
    "no-choices": _no_choices,
    "wrong-usage": _wrong_usage,  # numbers that cannot be true
    "broken-usage": _broken_usage,  # no numbers
    "filtered": _filtered,  # finish_reason content_filter
    "error-in-200": _in_200,
}
# A provider bills these: the model has (or may have) answered, whatever came of the answer.
PAID = frozenset(MODES) - {"429", "status", "policy", "error-in-200"}


def checked(modes: Iterable[str]) -> None:
    """ValueError names the first mode that does not exist."""
    for mode in modes:
        if mode.partition(":")[0] not in MODES:
            raise ValueError(f"unknown mode {mode!r}: one of {', '.join(MODES)}")


async def behave(mode: str, exchange: Exchange) -> None:
    """Answer in this mode."""
    name, _, argument = mode.partition(":")
    await MODES[name](exchange, argument)
