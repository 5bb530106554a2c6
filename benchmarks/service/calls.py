"""A client of the service's HTTP interface that does as little as it can: one kept connection.

Not here: the SDK (pilotfish/client), whose own time would be measured with it.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from tests.service.fleet import Fleet
from tests.service.processes import until

READY_SECONDS = 60.0
IDLE_SECONDS = 2.0  # the server closes connections that were idle for five
JSON = {"Content-Type": "application/json"}


class Api:
    """The API of a fleet; started when it is not there yet, with `arguments` behind `serve`."""

    def __init__(self, running: Fleet, *arguments: object) -> None:
        if "api" not in running.roles:
            running.start("api", "serve", *arguments)
        self._port = running.api_port
        self._open()
        try:
            until(self._ready, READY_SECONDS, "the API answers", 0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{running.said()}") from None

    def _open(self) -> None:
        self._used = time.monotonic()
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)

    def _ready(self) -> bool:
        try:
            return self._call("GET", "/livez", None, {})[0] == 200
        except (OSError, http.client.HTTPException):
            self._open()
            return False

    def _call(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Any]:
        """(status, decoded body)."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()
            self._open()
        self._connection.request(method, path, body, dict(headers))
        reply = self._connection.getresponse()
        raw = reply.read()
        self._used = time.monotonic()
        return reply.status, json.loads(raw) if raw[:1] in (b"{", b"[") else None

    def post(self, path: str, body: bytes, headers: Mapping[str, str] = JSON) -> Any:
        """The decoded body of a call that must succeed."""
        status, found = self._call("POST", path, body, headers)
        assert status < 300, f"POST {path}: {status} {found}"
        return found

    def ask(self, question: str, recipe: str) -> float:
        """Seconds of one question, from before the request to after its whole answer."""
        body = json.dumps({"question": question, "recipe": recipe}).encode()
        begun = time.perf_counter()
        line = self.post("/v1/answers", body)
        seconds = time.perf_counter() - begun
        assert line.get("status") in ("answered", "abstained"), line
        return seconds


def form(fields: Mapping[str, str], name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of multipart/form-data with one file."""
    mark = secrets.token_hex(16)
    parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
             for key, value in fields.items()]  # fmt: skip
    parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                 "Content-Type: application/octet-stream\r\n\r\n")  # fmt: skip
    body = "".join(parts).encode() + content + f"\r\n--{mark}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={mark}"}
