"""Templates and how values read in them: money, times, sizes, and where static files lie.

Everything is escaped; nothing is marked as safe. Not here: what is shown.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

FOLDER = Path(__file__).parent
TOKEN, KEYED = "pilotfish.page.token", "pilotfish.page.keyed"  # in the request's scope
FRAGMENT = "x-fragment"  # header of requests that our script makes
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
STATIC: Mapping[str, tuple[str, bytes]] = {
    path.name: (KINDS[path.suffix], path.read_bytes())
    for path in sorted((FOLDER / "static").iterdir())
    if path.suffix in KINDS
}
_HASHES = {
    name: hashlib.sha256(data).hexdigest()[:12] for name, (_, data) in STATIC.items()
}  # fmt: skip


def usd(value: float | None) -> str:
    """Dollars with as many places as they need; an unknown price is never 0."""
    if value is None:
        return "unknown"
    if value == 0 or value >= 1:
        return f"${value:,.2f}"
    text = f"{value:.4f}" if value >= 0.01 else f"{value:.6f}"
    whole, _, part = text.partition(".")
    return f"${whole}.{part.rstrip('0'):0<2}"


def number(value: float) -> str:
    return f"{value:,.0f}"


def when(moment: float | None) -> str:
    """22 Nov 2026, 21:07 UTC."""
    if moment is None:
        return "–"
    parts = time.gmtime(moment)
    return f"{parts.tm_mday} {time.strftime('%b %Y, %H:%M', parts)} UTC"


def span(seconds: float | None) -> str:
    """A length of time for people."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def millis(seconds: float) -> str:
    """Milliseconds; a tenth of one where there are few."""
    return f"{seconds * 1000:,.{0 if seconds >= 0.01 else 1}f} ms"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


def static(name: str) -> str:
    """The address of a file of ours; it changes with the file."""
    return f"/static/{name}?v={_HASHES[name]}"


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_ENVIRONMENT.filters |= {
    "usd": usd, "number": number, "when": when, "span": span, "millis": millis, "percent": percent,
    "path": lambda text: quote(str(text), safe="/"),
}  # fmt: skip
_ENVIRONMENT.globals |= {"static": static, "nonce": lambda: secrets.token_urlsafe(12)}


def rendered(request: Request, template: str, **values: Any) -> str:
    """The template with what every page knows."""
    return _ENVIRONMENT.get_template(template).render(
        token=request.scope.get(TOKEN, ""), keyed=request.scope.get(KEYED, False),
        at=request.url.path, **values,
    )  # fmt: skip


def failed(
    request: Request, status: int, message: str, request_id: str | None = None
) -> Response:  # fmt: skip
    """An error as a page."""
    return shown(
        request, "error.html", status, status=status, message=message, request_id=request_id
    )


def shown(request: Request, template: str, code: int = 200, **values: Any) -> Response:
    """A page, or a part of one."""
    return HTMLResponse(rendered(request, template, **values), code)
