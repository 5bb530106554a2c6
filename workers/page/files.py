"""Static files of the page: read once, sent with a hash in their address, so kept for ever."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from workers.page.shown import STATIC

router = APIRouter(include_in_schema=False)
_KEPT = {"cache-control": "public, max-age=31536000, immutable"}


@router.get("/static/{name}")
async def file(name: str) -> Response:
    """One of the files that lie in static/, by its very name."""
    if name not in STATIC:
        raise HTTPException(404, "no such file")
    kind, data = STATIC[name]
    return Response(data, media_type=f"{kind}; charset=utf-8", headers=_KEPT)
