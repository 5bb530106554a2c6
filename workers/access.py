"""Who may do what: bearer keys, requests per minute and at once, this machine without a key.

An ASGI middleware around all routes, so that none can be forgotten. As long as no key exists,
requests from this machine are the local tenant's; those that a browser sends for another
site, or a proxy passes on, are not. Not here: bodies (body.py), errors as JSON (replies.py).
"""

from __future__ import annotations

import ipaddress
import logging
import secrets
import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pilotfish.errors import PilotfishError
from store import keys
from store.database import Database
from store.keys import Key
from workers.asked import LOCAL, Who
from workers.body import Guarded, drained
from workers.replies import Refused, of_bug, of_http, of_ours, of_refusal

WHO = "pilotfish.who"  # in the request's scope
REQUEST = "pilotfish.request"  # there too: its id, where a layer around this one has made it
# Public by themselves: they tell nothing of anybody's.
OPEN = frozenset({"/livez", "/readyz", "/version", "/openapi.json"})
OPEN_PREFIXES = ("/static/",)
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
log = logging.getLogger("pilotfish.api")


@dataclass(slots=True)
class Gate:
    """What one key does at the moment: a bucket of requests, and those in flight."""

    left: float
    filled: float
    at_once: int = 0


@dataclass(slots=True)
class Gates:
    """Limits of keys, kept in this process."""

    _gates: dict[str, Gate] = field(default_factory=dict)
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def through(self, key: Key | None) -> Iterator[None]:
        """Count one request of the key; Refused when it has too many."""
        if key is None:
            yield
            return
        with self._mutex:
            gate = self._gates.setdefault(
                key.id, Gate(float(key.requests_per_minute or 0), time.monotonic())
            )
            self._count(key, gate)
        try:
            yield
        finally:
            with self._mutex:
                gate.at_once -= 1

    def _count(self, key: Key, gate: Gate) -> None:
        if key.concurrency is not None and gate.at_once >= key.concurrency:
            text = f"{key.concurrency} requests at once are allowed: wait for one to end"
            raise Refused(429, "concurrency_limit", text, 1)
        if key.requests_per_minute is not None:
            now, rate = time.monotonic(), key.requests_per_minute / 60
            gate.left = min(gate.left + (now - gate.filled) * rate, key.requests_per_minute)
            gate.filled = now
            if gate.left < 1:
                text = f"{key.requests_per_minute} requests a minute are allowed: slow down"
                raise Refused(429, "rate_limit", text, (1 - gate.left) / rate)
            gate.left -= 1
        gate.at_once += 1


@dataclass(slots=True)
class Access:
    """The outermost layer: request ids, access, limits, and whatever error is left over."""

    app: ASGIApp
    database: Database
    body_bytes: int
    seen: MutableMapping[str, int] = field(default_factory=dict)  # status class -> requests
    gates: Gates = field(default_factory=Gates)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = str(scope.get(REQUEST) or new_id())
        sending = Sending(send, request, self.seen)
        try:
            await self._let_in(scope, receive, sending)
        except Refused as error:
            await sending.instead(of_refusal(error), scope, receive)
        except PilotfishError as error:
            await sending.instead(of_ours(error), scope, receive)
        except HTTPException as error:
            if error.status_code == 413:
                await drained(receive, "expect" in Headers(scope=scope))
            await sending.instead(of_http(error), scope, receive)
        except Exception as error:  # noqa: BLE001 a bug of ours; its text may quote anything
            log.error("%s: %s at %s", request, type(error).__name__, _where(error))
            await sending.instead(of_bug(), scope, receive)

    async def _let_in(self, scope: Scope, receive: Receive, send: Sending) -> None:
        headers, path = Headers(scope=scope), str(scope["path"])
        key: Key | None = None
        if "\0" in path or b"%00" in scope.get("query_string", b""):
            raise Refused(404, "not_found", "nothing has a NUL character in its name")
        if path not in OPEN and not path.startswith(OPEN_PREFIXES):
            secret = bearer(headers)
            who, key = await to_thread.run_sync(self._who, secret, scope, headers)
            scope[WHO] = who
        with self.gates.through(key):
            guarded = Guarded(receive, self.body_bytes, headers.get("content-length"))
            await self.app(scope, guarded, send)

    def _who(self, secret: str | None, scope: Scope, headers: Headers) -> tuple[Who, Key | None]:
        if _by_socket(scope) and from_here(scope, headers):
            return LOCAL, None  # its file's permissions have decided
        with self.database.read() as connection:
            locked = keys.any_left(connection)
            if secret is not None and locked:  # some clients always send one, whatever it is
                key = keys.of_secret(connection, secret)
                if key is None:
                    raise Refused(401, "invalid_api_key", "this key is unknown or has expired")
                return Who(key.tenant, key.id, key.admin), key
            if locked and scope["path"] != "/metrics":
                raise Refused(401, "missing_api_key", "send Authorization: Bearer KEY")
        if not from_here(scope, headers):
            make = "make a key (pilotfish keys create NAME) and send Authorization: Bearer KEY"
            raise Refused(
                401, "missing_api_key", f"only this machine may ask without a key: {make}"
            )
        return LOCAL, None


def new_id() -> str:
    """A request's id, as clients see it in x-request-id."""
    return f"req_{secrets.token_hex(12)}"


def _by_socket(scope: Scope) -> bool:
    """Whether it came in by a unix socket."""
    client = scope.get("client")
    return client is None or not client[0]


def bearer(headers: Headers) -> str | None:
    """The secret of the Authorization header; None without one."""
    given = headers.get("authorization")
    if given is None:
        return None
    scheme, _, secret = given.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Refused(401, "invalid_api_key", "send Authorization: Bearer KEY")
    return secret.strip()


def from_here(scope: Scope, headers: Headers) -> bool:
    """Whether a program of this machine asks for itself: not a proxy for somebody else, and not
    a browser for another site (DNS rebinding shows in Host, cross-site posts in Origin).
    """
    if any(name in headers for name in _FORWARDED):
        return False
    if _by_socket(scope):
        return "origin" not in headers
    try:
        address = ipaddress.ip_address(scope["client"][0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    if not (mapped or address).is_loopback:
        return False
    host, origin = headers.get("host", ""), headers.get("origin")
    if _name(f"//{host}") not in _LOOPBACK_NAMES:
        return False
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return False
    return origin is None or origin.partition("//")[2] == host


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


class Sending:
    """Passes an answer on with the request's id; knows whether it has begun."""

    def __init__(self, send: Send, request: str, seen: MutableMapping[str, int]) -> None:
        self._send, self._request, self._seen = send, request, seen
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self._request
            headers["x-content-type-options"] = "nosniff"
            status = f"{message['status'] // 100}xx"
            self._seen[status] = self._seen.get(status, 0) + 1
        await self._send(message)

    async def instead(self, answer: Any, scope: Scope, receive: Receive) -> None:
        """Send this error; an answer that is on its way already is cut off (uvicorn does it)."""
        if not self.begun:
            await answer(scope, receive, self)


def _where(error: BaseException) -> str:
    """The last place of ours in the error's traceback: names and a line, no values."""
    place, frame = "?", error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        if "site-packages" not in code.co_filename:
            place = f"{code.co_filename.rpartition('/')[2]}:{frame.tb_lineno} {code.co_name}"
        frame = frame.tb_next
    return place
