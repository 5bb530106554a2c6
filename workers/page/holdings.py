"""Documents: the collections, what is in them, upload, look, delete.

Not here: doing it (workers/holdings.py, workers/routes_documents.py).
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from pilotfish.errors import NotFound
from store import reading
from workers import routes_documents
from workers.page.shown import shown
from workers.page.source import BLOCK, pieces
from workers.requests import Asker, Limit, Service, cursor_number

router = APIRouter(prefix="/documents", include_in_schema=False)


@router.get("")
def documents(who: Asker, jobs: Service, collection: str | None = None) -> Response:
    """To the collection that was chosen, the configured one else."""
    name = collection or jobs.process.settings.collection
    jobs.holdings.stored(who, name)
    return RedirectResponse(f"/documents/{quote(name)}", 303)


@router.get("/{name}")
def listing(
    request: Request, name: str, who: Asker, jobs: Service, limit: Limit = 100,
    after: str | None = None, job: str | None = None,
) -> Response:  # fmt: skip
    """A collection's documents; empty for one that an upload would make. `job`: one to watch."""
    jobs.holdings.stored(who, name)
    try:
        listed = jobs.holdings.documents(who, name, limit, cursor_number(after, 0))
    except NotFound:
        listed = {"data": [], "has_more": False, "next_cursor": None}
    every = jobs.holdings.listing(who)
    return shown(
        request, "documents.html", 200, name=name, collections=every, listed=listed,
        this=next((one for one in every if one["name"] == name), None), after=after,
        job=jobs.view(who, job) if job else None,
    )  # fmt: skip


@router.post("/{name}/upload")
async def upload(request: Request, name: str, who: Asker, jobs: Service) -> Response:
    """Add files as the API does, then watch the job."""
    made = await routes_documents.add(request, name, who, jobs)
    job = made.headers["location"].rpartition("/")[2]
    return RedirectResponse(f"/documents/{quote(name)}?job={job}", 303)


@router.post("/{name}/delete/{key:path}")
def delete(name: str, key: str, who: Asker, jobs: Service) -> Response:
    """Remove a document everywhere."""
    jobs.holdings.remove(who, name, key)
    return RedirectResponse(f"/documents/{quote(name)}", 303)


@router.get("/{name}/view/{key:path}")
def view(
    request: Request, name: str, key: str, who: Asker, jobs: Service,
    start: Annotated[int | None, Query(ge=0, le=10**9)] = None,
    end: Annotated[int, Query(ge=0, le=10**9)] = 0,
    at: Annotated[int | None, Query(ge=0, le=10**9)] = None,
) -> Response:  # fmt: skip
    """A document's text in blocks; characters [start, end) lit, and the block that holds them."""
    first = (at if at is not None else start or 0) // BLOCK * BLOCK
    with jobs.database.read() as connection:
        found = jobs.holdings.find(connection, who, name)
        text = reading.stretch(connection, found, key, first, first + BLOCK)
        lit = (start, max(start, end)) if start is not None else (first, first)
        if start is not None:
            lit = reading.passage_around(connection, found, key, *lit)
    wanted: dict[str, Any] = {"name": name, "text": text, "first": first, "block": BLOCK}
    cut = pieces(text.text, first, lit, None if start is None else (start, max(start, end)))
    return shown(request, "document.html", 200, pieces=cut, **wanted)
