"""The form that takes a key and keeps it in a cookie, and the way out.

Not here: what the cookie is worth (door.py hands it to Access).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from workers.page.shown import failed, shown

COOKIE = "pilotfish_key"
MOST_BYTES = 10_000
_SECONDS = 30 * 86_400
_KEY = re.compile(r"[A-Za-z0-9_.~-]{1,200}")
_OURS = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")  # a path of this site, no address of another


async def answer(request: Request, known: Callable[[str], Awaitable[bool]]) -> Response:
    """What /login and /logout answer; `known` says whether a key works."""
    if request.url.path == "/logout":
        return _out(request)
    if request.method == "GET":
        return _form(request, request.query_params.get("next", "/"))
    if request.method != "POST":
        return failed(request, 405, "send the form")
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    key, target = (fields.get(name, [""])[0].strip() for name in ("key", "next"))
    if not _KEY.fullmatch(key) or not await known(key):
        return _form(request, target, "This key is unknown or has expired.", 401)
    done = RedirectResponse(_inside(target), 303)
    done.set_cookie(COOKIE, key, max_age=_SECONDS, path="/", httponly=True, samesite="strict",
                    secure=_is_https(request))  # fmt: skip
    return done


def _out(request: Request) -> Response:
    if request.method != "POST":
        return RedirectResponse("/", 303)
    gone = RedirectResponse("/login", 303)
    gone.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return gone


def _form(request: Request, target: str, problem: str | None = None, status: int = 200) -> Response:
    return shown(request, "login.html", status, next=_inside(target), problem=problem)


def _inside(target: str) -> str:
    return target if _OURS.fullmatch(target) else "/"


def _is_https(request: Request) -> bool:
    """Also behind a proxy that says so: a cookie that is too strict does no harm."""
    return "https" in {request.url.scheme, request.headers.get("x-forwarded-proto")}
