"""A local stand-in for a hosted LLM: OpenAI's /v1/chat/completions, well behaved or not.

    with LLMServer() as server:
        server.script("429:2", "hang:5", "ok")   # one per request, then `default`
        ... litellm with api_base=server.url ...
        server.requests, server.per_key

By hand and for benchmarks: python -m tests.llm_server --port 8900 --latency 1
Not here: streaming, other endpoints, any wisdom in the answers.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Respond = Callable[[Sequence[Mapping[str, str]]], str]
TEXT = "Goods may be returned within 30 days [k7f2]."
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    key: str | None
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class LLMServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1. `respond` makes the text out of the messages; `latency` in seconds."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(
        self,
        port: int = 0,
        *,
        respond: Respond | None = None,
        latency: float = 0,
        default: str = "ok",
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.respond, self.latency, self.default = respond, latency, default
        self.requests: list[Received] = []
        self.per_key: Counter[str | None] = Counter()
        self.arrived = threading.Event()
        self.stopped = threading.Event()
        self._script: deque[str] = deque()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def script(self, *modes: str) -> None:
        """Behaviours of the next requests, in order: 'name' or 'name:argument', see MODES."""
        for mode in modes:
            if mode.partition(":")[0] not in MODES:
                raise ValueError(f"unknown mode {mode!r}: one of {', '.join(MODES)}")
        self._script.extend(modes)

    def note(self, received: Received) -> str:
        """Keep the request; give the behaviour it meets."""
        with self._lock:
            self.requests.append(received)
            self.per_key[received.key] += 1
            self.arrived.set()
            return self._script.popleft() if self._script else self.default

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about: say nothing."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LLMServer
    body: Mapping[str, Any]

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = json.loads(self.rfile.read(length) or b"{}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        mode = self.server.note(Received(headers.get("idempotency-key"), headers, self.body))
        if self.server.latency:
            self.server.stopped.wait(self.server.latency)
        name, _, argument = mode.partition(":")
        MODES[name](self, argument)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def text(self) -> str:
        respond = self.server.respond
        return respond(self.body.get("messages", [])) if respond else TEXT

    def send(
        self, status: int, content: bytes, kind: str = "application/json", **more: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)


def completion(
    text: object = TEXT, finish: str = "stop", usage: object = _MISSING
) -> dict[str, Any]:
    """The body of a chat completion; `usage=None` leaves the usage out."""
    body: dict[str, Any] = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "test-model",
        "choices": [{"index": 0, "finish_reason": finish,
                     "message": {"role": "assistant", "content": text}}],
    }  # fmt: skip
    if usage is not None:
        body["usage"] = USAGE if usage is _MISSING else usage
    return body


def _json(handler: _Handler, body: object, status: int = 200, **more: str) -> None:
    handler.send(status, json.dumps(body).encode(), **more)


def _error(handler: _Handler, status: int, message: str, code: str = "", **more: str) -> None:
    # Real providers repeat a part of the key; this one repeats it all, to catch leaks.
    message += f" (sent: {handler.headers.get('Authorization')})"
    error = {"message": message, "type": code or "error", "code": code or None, "param": None}
    _json(handler, {"error": error}, status, **more)


def _ok(handler: _Handler, _: str) -> None:
    _json(handler, completion(handler.text()))


def _limited(handler: _Handler, retry_after: str) -> None:
    more = {"Retry_After": retry_after} if retry_after else {}
    _error(handler, 429, "Rate limit reached", "rate_limit_exceeded", **more)


def _status(handler: _Handler, status: str) -> None:
    _error(handler, int(status), f"status {status}")


def _hang(handler: _Handler, seconds: str) -> None:
    handler.server.stopped.wait(float(seconds or 30))
    _ok(handler, "")


def _drip(handler: _Handler, seconds: str) -> None:
    content = json.dumps(completion(handler.text())).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    for byte in content:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        if handler.server.stopped.wait(float(seconds or 10) / len(content)):
            return


def _reset(handler: _Handler, _: str) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b'{"id": "chat')
    handler.wfile.flush()
    time.sleep(0.05)
    # Linger 0: closing sends RST, not FIN. makefile() holds the socket, so shut it too.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def _drop(handler: _Handler, _: str) -> None:
    handler.close_connection = True


def _truncated(handler: _Handler, _: str) -> None:
    handler.send(200, json.dumps(completion(handler.text())).encode()[:-60])


def _html(handler: _Handler, _: str) -> None:
    handler.send(200, b"<html><body>Bad gateway, please log in</body></html>", "text/html")


def _usage(handler: _Handler, raw: str) -> None:
    _json(handler, completion(handler.text(), usage=json.loads(raw)))


def _in_200(handler: _Handler, _: str) -> None:
    sent = handler.headers.get("Authorization")
    _json(handler, {"error": {"message": f"upstream is overloaded ({sent})", "code": 502}})


def _context(handler: _Handler, _: str) -> None:
    text = "This model's maximum context length is 8192 tokens. Your messages resulted in 9000"
    _error(handler, 400, text, "context_length_exceeded")


def _policy(handler: _Handler, _: str) -> None:
    _error(handler, 400, "Rejected by our content management policy", "content_policy_violation")


MODES: dict[str, Callable[[_Handler, str], None]] = {
    "ok": _ok,
    "text": lambda handler, text: _json(handler, completion(text)),
    "429": _limited,  # 429:SECONDS or 429:HTTP-DATE sends Retry-After
    "status": _status,  # status:529
    "hang": _hang,  # hang:SECONDS, then ok
    "drip": _drip,  # drip:SECONDS over the whole body
    "reset": _reset,  # a reset in the middle of the body
    "drop": _drop,  # closes without an answer
    "truncated": _truncated,
    "html": _html,
    "empty": lambda handler, _: handler.send(200, b""),
    "no-choices": lambda handler, _: _json(handler, {**completion(), "choices": []}),
    "null": lambda handler, _: _json(handler, completion(None)),
    "blank": lambda handler, _: _json(handler, completion(" \n")),
    "list": lambda handler, _: _json(handler, [1, 2]),
    "length": lambda handler, _: _json(handler, completion("", "length")),
    "filtered": lambda handler, _: _json(handler, completion("", "content_filter")),
    "usage": _usage,  # usage:JSON, usage:null leaves it out
    "error-in-200": _in_200,
    "context": _context,
    "policy": _policy,
}


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--latency", type=float, default=0, help="seconds before each answer")
    parser.add_argument("--default", default="ok", help=f"one of {', '.join(MODES)}")
    arguments = parser.parse_args()
    server = LLMServer(arguments.port, latency=arguments.latency, default=arguments.default)
    print(f"listening on {server.url}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
