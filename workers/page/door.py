"""The page's door: a cookie with the key, forged posts refused, headers, errors as pages.

An ASGI layer around Access, for the page's own paths only: the cookie becomes the bearer key
that Access checks as it does any other, and never reaches the API's paths. Not here: who may do
what (access.py).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store import keys
from store.database import Database
from workers.body import Guarded
from workers.page import login
from workers.page.shown import FRAGMENT, KEYED, TOKEN, failed

PATHS = ("/ask", "/answers", "/documents", "/jobs", "/usage", "/login", "/logout")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Referrer-Policy: with no-referrer a browser would send `Origin: null` with our own forms.
HEADERS = {
    "content-security-policy": _POLICY, "referrer-policy": "same-origin",
    "x-frame-options": "DENY", "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
}  # fmt: skip


def is_page(path: str) -> bool:
    """Whether the path is the page's; all others are the API's."""
    return path == "/" or any(path == own or path.startswith(own + "/") for own in PATHS)


@dataclass(slots=True)
class Door:
    """`secret` makes the tokens of forms: processes that share a workspace share them."""

    app: ASGIApp
    database: Database
    secret: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_page(str(scope["path"])):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        key = cookie_parser(headers.get("cookie", "")).get(login.COOKIE)
        scope = _with_key(scope, key)
        scope[KEYED], scope[TOKEN] = key is not None, self._token(key)
        facing = Facing(scope, receive, send)
        if scope["method"] not in {"GET", "HEAD"} and (why := self._forged(scope, headers)):
            await _refused(scope, why)(scope, receive, facing)
        elif scope["path"] in {"/login", "/logout"}:
            answer = await self._login(scope, receive, headers)
            await answer(scope, receive, facing)
        else:
            await self.app(scope, receive, facing)
            await facing.end()

    async def _login(self, scope: Scope, receive: Receive, headers: Headers) -> Response:
        try:
            guarded = Guarded(receive, login.MOST_BYTES, headers.get("content-length"))
            return await login.answer(Request(scope, guarded), self._known)
        except HTTPException as error:
            return failed(Request(scope), error.status_code, error.detail)

    def _token(self, key: str | None) -> str:
        text = f"page {key or ''}".encode()
        return hmac.new(self.secret, text, hashlib.sha256).hexdigest()[:32]

    def _forged(self, scope: Scope, headers: Headers) -> str | None:
        """Why a post is not from a form of ours; None when it is."""
        origin = headers.get("origin")
        ours = origin is not None and origin.partition("//")[2] == headers.get("host")
        if not ours and not (origin is None and headers.get("sec-fetch-site") == "same-origin"):
            return "this form was sent from another site"
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        fits = hmac.compare_digest(given.encode(), str(scope[TOKEN]).encode())
        return None if fits else "this form is out of date: go back, reload, and send it again"

    async def _known(self, key: str) -> bool:
        def look() -> bool:
            with self.database.read() as connection:
                return keys.of_secret(connection, key) is not None

        return await to_thread.run_sync(look)


def _with_key(scope: Scope, key: str | None) -> Scope:
    """The cookie's key as the bearer key; a header that came with it does not count."""
    if key is None:
        return {**scope}
    kept = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
    return {**scope, "headers": [*kept, (b"authorization", b"Bearer " + key.encode("latin-1"))]}


def _refused(scope: Scope, why: str) -> Response:
    return failed(Request(scope), 403, why)


class Facing:
    """Sends answers to a browser: our headers on each, and errors as pages instead of JSON."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._plain = FRAGMENT in Headers(scope=scope)  # our script reads errors as JSON
        self._held: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers.setdefault("cache-control", "no-store")
            kind = headers.get("content-type", "")
            if message["status"] >= 400 and kind.startswith("application/json") and not self._plain:
                self._held = message
                return
        if self._held is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    async def end(self) -> None:
        """Show the error that was held back."""
        if self._held is None:
            return
        status, held = int(self._held["status"]), Headers(raw=self._held["headers"])
        self._held = None
        answer = self._login() if status == 401 else self._error(status, self._body, held)
        await answer(self._scope, self._receive, self)

    def _login(self) -> Response:
        """To the form, and back afterwards; a key that no longer works is forgotten."""
        path = str(self._scope["path"]) if self._scope["method"] == "GET" else "/"
        answer = RedirectResponse(f"/login?next={quote(path)}", 303)
        answer.delete_cookie(login.COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    def _error(self, status: int, body: bytes, held: Mapping[str, str]) -> Response:
        error: dict[str, Any] = json.loads(body).get("error", {})
        message, request_id = str(error.get("message", "")), held.get("x-request-id")
        answer = failed(Request(self._scope), status, message, request_id)
        for name in ("retry-after", "x-request-id"):
            if name in held:
                answer.headers[name] = held[name]
        return answer
