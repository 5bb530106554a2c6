"""OpenAI's files: what batches are made of, and what they give.

Not here: bytes on disk (store/uploads.py), making a batch's files (openai_outputs.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, Response, StreamingResponse

from pilotfish.errors import NotFound
from store import uploads
from store.uploads import Upload
from workers.asked import Who
from workers.holdings import file_name
from workers.jobs import Jobs
from workers.openai_errors import OpenAIRoute, Unfit
from workers.openai_outputs import PURPOSE, delete, lines, noted, source
from workers.replies import AsciiJSON
from workers.requests import Asker, Service, body_of

router = APIRouter(prefix="/v1/files", tags=["openai"], route_class=OpenAIRoute)
BATCH = "batch"
SHOWN = (BATCH, PURPOSE)
MEGABYTE, MOST = 1_000_000, 10_000
JSONL = "application/jsonl"
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {
        "type": "object", "required": ["file", "purpose"], "properties": {
            "file": {"type": "string", "format": "binary"},
            "purpose": {"type": "string", "enum": [BATCH]}},
    }}}},
}  # fmt: skip


@router.post("", summary="Upload a batch's input", openapi_extra=_BODY)
async def upload(request: Request, who: Asker, jobs: Service) -> Response:
    """JSON lines, each a chat completion."""
    async with body_of(request, json_too=False) as body:
        _check(body.fields)
        if len(body.files) != 1:
            raise Unfit("send one multipart part named 'file'", "file")
        name, file = body.files[0]
        saved = await to_thread.run_sync(partial(_save, jobs, who, file_name(name), file))
    return AsciiJSON(shown(saved))


def _check(fields: Mapping[str, Any]) -> None:
    if fields.get("purpose") != BATCH:
        raise Unfit("purpose: only 'batch' is supported", "purpose", code="unsupported_purpose")
    for name in fields:
        if name != "purpose":
            raise Unfit(f"{name[:80]!r} is not supported: leave it out", name[:80])


def _save(jobs: Jobs, who: Who, name: str, file: UploadFile) -> Upload:
    root, limit = jobs.process.workspace.root, jobs.process.settings.service.body_mb * MEGABYTE
    saved = uploads.save(root, iter(partial(file.file.read, 1 << 20), b""), limit)
    try:
        with jobs.database.write() as connection:
            return uploads.record(connection, who.tenant, name, BATCH, saved)
    except BaseException:
        uploads.place(root, saved[0]).unlink(missing_ok=True)
        raise


@router.get("", summary="Files")
def listing(
    who: Asker, jobs: Service, limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    after: str | None = None, purpose: str | None = None,
    order: Literal["asc", "desc"] = "desc",
) -> Response:  # fmt: skip
    """Newest first, unless `order` is asc."""
    with jobs.database.read() as connection:
        rows = uploads.listing(connection, who.tenant, MOST)
    rows = [row for row in rows if row.purpose in SHOWN and purpose in {None, row.purpose}]
    if order == "asc":
        rows.reverse()
    if after is not None:
        ids = [row.id for row in rows]
        if after not in ids:
            raise NotFound(f"no file {after[:80]!r}")
        rows = rows[ids.index(after) + 1 :]
    return AsciiJSON(page([shown(row) for row in rows[: limit + 1]], limit))


def page(rows: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """A page of OpenAI's lists out of up to `limit` + 1 rows."""
    kept, more = rows[:limit], len(rows) > limit
    first, last = (kept[0]["id"], kept[-1]["id"]) if kept else (None, None)
    found = {"object": "list", "data": kept, "first_id": first, "last_id": last, "has_more": more}
    return found | {"next_cursor": last if more else None}


@router.get("/{name}", summary="One file")
def view(name: str, who: Asker, jobs: Service) -> Response:
    """What it is called, and how large it is."""
    made = source(jobs, who, name)
    return AsciiJSON(shown(noted(jobs, who, *made) if made else uploaded(jobs, who, name)))


@router.get("/{name}/content", summary="What is in it")
def content(name: str, who: Asker, jobs: Service) -> Response:
    """JSON lines."""
    made = source(jobs, who, name)
    if made:
        row = noted(jobs, who, *made)
        headers = {"content-disposition": f'attachment; filename="{row.name}"'}
        return StreamingResponse(lines(jobs, who, *made), media_type=JSONL, headers=headers)
    row = uploaded(jobs, who, name)
    path = uploads.place(jobs.process.workspace.root, row.id)
    if not path.is_file():
        raise NotFound(f"no file {name!r}: its bytes are gone")
    return FileResponse(path, media_type=JSONL, filename=row.name)


@router.delete("/{name}", summary="Delete it")
def remove(name: str, who: Asker, jobs: Service) -> Response:
    """Batches that were made of it go on."""
    made = source(jobs, who, name)
    if made:
        delete(jobs, who, *made)
    else:
        uploaded(jobs, who, name)
        with jobs.database.write() as connection:
            uploads.drop(connection, jobs.process.workspace.root, name, who.tenant)
    return AsciiJSON({"id": name, "object": "file", "deleted": True})


def uploaded(jobs: Jobs, who: Who, name: str) -> Upload:
    """The tenant's upload for batches; NotFound for others', and for what is no such file."""
    with jobs.database.read() as connection:
        row = uploads.find(connection, name, who.tenant)
    if row.purpose != BATCH:
        raise NotFound(f"no file {name!r}")
    return row


def shown(row: Upload) -> dict[str, Any]:
    """A file as OpenAI shows it."""
    return {
        "id": row.id, "object": "file", "bytes": row.bytes, "created_at": int(row.created),
        "expires_at": None, "filename": row.name, "purpose": row.purpose, "status": "processed",
    }  # fmt: skip
