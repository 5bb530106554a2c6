"""What is told of requests: a span, a line in the access log, and their ids on all other lines.

An ASGI layer around all others. Routes are told by their template: paths hold ids and names of
documents. Health checks and files of the page are left out. Not here: who may ask (access.py).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers import logs
from workers.access import OPEN, OPEN_PREFIXES, REQUEST, new_id
from workers.page.door import is_page
from workers.telemetry import Open, Served, Telemetry
from workers.telemetry_items import CONTEXT, trace_id

LEFT_OUT = (OPEN | {"/metrics"}) - {"/openapi.json"}
log = logging.getLogger(logs.ACCESS)


@dataclass(slots=True)
class Observed:
    """Outermost, so that it sees what every request comes to."""

    app: ASGIApp
    telemetry: Telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if scope["type"] != "http" or path in LEFT_OUT or path.startswith(OPEN_PREFIXES):
            await self.app(scope, receive, send)
            return
        scope[REQUEST] = new_id()
        opened = self.telemetry.request(Headers(scope=scope).get("traceparent"))
        token = CONTEXT.set(opened.context)
        try:
            with logs.about(request=scope[REQUEST], trace=trace_id(opened.context)):
                watching = Watching(send, opened)
                try:
                    await self.app(scope, receive, watching)
                finally:
                    watching.end(scope)
        finally:
            CONTEXT.reset(token)


@dataclass(slots=True)
class Watching:
    """One request on its way."""

    send: Send
    opened: Open
    status: int = 0
    clock: float = field(default_factory=time.perf_counter)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
        await self.send(message)

    def end(self, scope: Scope) -> None:
        """Tell of it."""
        known = logs.known()
        ids: dict[str, str] = {n: str(known[n]) for n in ("request", "job") if n in known}
        seconds = time.perf_counter() - self.clock
        served = Served(method(scope), route(scope), self.status, seconds, ids)
        self.opened.end(served)
        told = {"method": served.method, "route": served.route, "status": served.status,
                "ms": round(seconds * 1000, 1)}  # fmt: skip
        text = "%s %s %d %.1f ms %s"
        log.info(
            text, served.method, served.route or "-", served.status, told["ms"],
            ids.get("request", "-"), extra={logs.FIELDS: told},
        )  # fmt: skip


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def method(scope: Scope) -> str:
    """Few values, whatever was sent."""
    return scope["method"] if scope["method"] in _METHODS else "_OTHER"


def route(scope: Scope) -> str | None:
    """The template of the route that answered; of a page its first part; None: there is none."""
    found = getattr(scope.get("route"), "path_format", None)
    if found is not None:
        return str(found)
    path = str(scope["path"])
    return "/" + path.split("/")[1] if is_page(path) else None
