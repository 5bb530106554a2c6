"""Routes of collections and their documents: list, upload, show, remove; and of usage.

Not here: reading files (corpus/), adding them (indexing.py).
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from pilotfish.errors import InputError
from store import uploads, usage
from store.usage import By
from workers.asked import INDEX, Asked, Who
from workers.forms import UploadForm, digest_of
from workers.holdings import document_name
from workers.jobs import Jobs
from workers.moments import moment
from workers.replies import AsciiJSON, Refused
from workers.requests import (
    Asker,
    Body,
    IdempotencyKey,
    Limit,
    Service,
    as_form,
    body_of,
    cursor_number,
)

router = APIRouter(prefix="/v1", tags=["documents"])
MEGABYTE = 1_000_000
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {
        "type": "object", "required": ["file"], "properties": {
            "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
            "name": {"type": "string"}, "webhook_url": {"type": "string"}},
    }}}},
}  # fmt: skip


@router.get("/collections", summary="Collections")
def collections(who: Asker, jobs: Service) -> Response:
    """All that the key may see, with how much is in them."""
    return AsciiJSON({"data": jobs.holdings.listing(who)})


@router.delete("/collections/{name}", status_code=204, summary="Remove a collection")
def drop(name: str, who: Asker, jobs: Service) -> Response:
    """With all of its documents, jobs and answers."""
    jobs.holdings.drop(who, name)
    return Response(status_code=204)


@router.post(
    "/collections/{name}/documents", status_code=201, summary="Add files", openapi_extra=_BODY
)
async def add(
    request: Request, name: str, who: Asker, jobs: Service, idempotency_key: IdempotencyKey = None
) -> Response:
    """An index job of one item a file; the collection is made when there is none."""
    async with body_of(request, json_too=False) as body:
        form = as_form(UploadForm, body.fields)
        names = _names(body)
        digest = digest_of(request.url.path, body.fields, await body.hashed())
        asked = form.asked(name, INDEX, idempotency_key, digest)
        job, new = await to_thread.run_sync(partial(_add, jobs, who, asked, names, body))
    view = await to_thread.run_sync(partial(jobs.view, who, job.id, secret=True))
    return AsciiJSON(view, 201 if new else 200, {"location": f"/v1/jobs/{job.id}"})


def _names(body: Body) -> list[str]:
    names = [document_name(name) for name, _ in body.files]
    if not names:
        raise InputError("no file: send multipart parts named 'file'")
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise InputError(f"two files are called {min(doubled)!r}: rename one, or send it alone")
    return names


def _add(jobs: Jobs, who: Who, asked: Asked, names: list[str], body: Body) -> tuple[Any, bool]:
    """Store the files, then the job; without a new job the files go again."""
    jobs.holdings.ensure(who, asked.collection)
    root, limit = jobs.process.workspace.root, jobs.process.settings.limits.file_mb * MEGABYTE
    saved: list[str] = []
    try:
        for name, (_, file) in zip(names, body.files, strict=True):
            blocks = iter(partial(file.file.read, 1 << 20), b"")
            one = uploads.save(root, blocks, limit)
            saved.append(one[0])
            with jobs.database.write() as connection:
                uploads.record(connection, who.tenant, name, uploads.DOCUMENTS, one)
        job, new = jobs.submit_files(who, list(zip(saved, names, strict=True)), asked)
    except BaseException:
        _unsave(jobs, who, saved)
        raise
    if not new:
        _unsave(jobs, who, saved)
    return job, new


def _unsave(jobs: Jobs, who: Who, saved: list[str]) -> None:
    with jobs.database.write() as connection:
        for file_id in saved:
            uploads.drop(connection, jobs.process.workspace.root, file_id, who.tenant)


@router.get("/collections/{name}/documents", summary="Documents")
def documents(
    name: str, who: Asker, jobs: Service, limit: Limit = 100, after: str | None = None
) -> Response:
    """A page of the collection's documents, oldest first."""
    return AsciiJSON(jobs.holdings.documents(who, name, limit, cursor_number(after, 0)))


@router.get("/collections/{name}/documents/{key:path}", summary="One document with its text")
def document(name: str, key: str, who: Asker, jobs: Service) -> Response:
    """The text is what the offsets of citations refer to."""
    return AsciiJSON(jobs.holdings.document(who, name, key))


@router.delete("/collections/{name}/documents/{key:path}", summary="Remove a document")
def remove(name: str, key: str, who: Asker, jobs: Service) -> Response:
    """With its passages, vectors, tables, and the answers that quote it."""
    return AsciiJSON({"removed": jobs.holdings.remove(who, name, key)})


@router.get("/usage", tags=["usage"], summary="What was spent")
def spent(
    who: Asker, jobs: Service, by: By = "day",
    since: Annotated[str | None, Query(description="2026-11-01, or seconds since 1970")] = None,
    until: str | None = None, everybody: bool = False,
) -> Response:  # fmt: skip
    """Sums of the ledger over [since, until); `everybody`: all tenants', with an admin key."""
    if everybody and not who.admin:
        raise Refused(403, "admin_only", "everybody's usage needs an admin key")
    with jobs.database.read() as connection:
        rows = usage.sums(
            connection, by, tenant=None if everybody else who.tenant,
            since=moment(since), until=moment(until),
        )  # fmt: skip
    return AsciiJSON({"by": by, "data": [asdict(row) for row in rows]})
