"""Routes of jobs: submit, look, results, events, pause, resume, cancel, retry, delete.

Not here: what they do (jobs.py).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi import Path as Path_
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse

from pilotfish.errors import InputError
from pipeline.outputs import write_lines
from pipeline.questions import Line
from store.items import AGAIN
from workers.events import Events
from workers.forms import FeedbackForm, JobForm, RetryForm, digest_of, lines_in, lines_of
from workers.holdings import file_name
from workers.replies import AsciiJSON
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

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
State = Literal["pending", "leased", "answered", "abstained", "failed", "dead", "unknown",
                "cancelled", "forgotten"]  # fmt: skip
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_FIELDS = JobForm.model_json_schema()
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {
        "application/json": {"schema": _FIELDS, "examples": {
            "two questions": {"value": _FIELDS["examples"][0]}}},
        "multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": {
            "file": {"type": "string", "format": "binary",
                     "description": "JSONL, CSV, TSV, XLSX, or text with one question a line"},
            **{k: v for k, v in _FIELDS["properties"].items() if k != "questions"}}}},
    }},
}  # fmt: skip


@router.post("", status_code=201, summary="Submit many questions", openapi_extra=BODY)
async def submit(
    request: Request, who: Asker, jobs: Service, idempotency_key: IdempotencyKey = None
) -> Response:
    """`201` with the job; `200` when the same request had made it already. All bad lines are
    named at once (`422`), and nothing is accepted then.
    """
    async with body_of(request) as body:
        form = as_form(JobForm, body.fields)
        lines = await read_lines(form, body, jobs.process.settings.limits.question_chars)
        digest = digest_of("/v1/jobs", body.fields, await body.hashed())
    asked = form.asked(idempotency_key, digest)
    job, new = await to_thread.run_sync(jobs.submit, who, lines, asked)
    view = await to_thread.run_sync(partial(jobs.view, who, job.id, secret=True))
    return AsciiJSON(view, 201 if new else 200, {"location": f"/v1/jobs/{job.id}"})


async def read_lines(form: JobForm, body: Body, limit: int) -> list[Line]:
    """The questions of a body, good and bad: out of its one file, or of its field."""
    if not body.files:
        return await to_thread.run_sync(lines_of, form.questions, limit)
    if len(body.files) > 1 or form.questions:
        raise InputError("questions come in one file, or in the field: send one of them")
    name, file = body.files[0]
    data = await file.read()
    return await to_thread.run_sync(lines_in, file_name(name), data, limit)


@router.get("", summary="Jobs, newest first")
def listing(
    who: Asker, jobs: Service, limit: Limit = 20, after: str | None = None,
    singles: Annotated[bool, Query(description="also those of /v1/answers")] = False,
) -> Response:  # fmt: skip
    """A page of jobs."""
    return AsciiJSON(jobs.listing(who, limit, after, singles))


@router.get("/{job_id}", summary="One job")
def view(job_id: str, who: Asker, jobs: Service) -> Response:
    """State, counts and money."""
    return AsciiJSON(jobs.view(who, job_id))


@router.delete("/{job_id}", summary="Delete its questions and answers")
def forget(job_id: str, who: Asker, jobs: Service) -> Response:
    """For a job that has ended; its counts and what it cost stay."""
    return AsciiJSON(jobs.forget(who, job_id))


@router.get("/{job_id}/items", summary="Its items")
def items(
    job_id: str, who: Asker, jobs: Service, limit: Limit = 100, after: str | None = None,
    state: Annotated[list[State] | None, Query()] = None,
) -> Response:  # fmt: skip
    """State, attempts and error of each item."""
    return AsciiJSON(jobs.items_page(who, job_id, limit, cursor_number(after, -1), state or []))


@router.post("/{job_id}/items/{ordinal}/feedback", summary="Say whether an answer was right")
def feedback(
    job_id: str, ordinal: Annotated[int, Path_(ge=0, le=10**9)], form: FeedbackForm, who: Asker,
    jobs: Service,
) -> Response:  # fmt: skip
    """Kept for `pilotfish tune trust`; a later one replaces it."""
    return AsciiJSON(jobs.feedback(who, f"{job_id}/{ordinal}", form.right, form.answer))


@router.get("/{job_id}/results", summary="Its finished lines")
def results(
    job_id: str, who: Asker, jobs: Service,
    format: Literal["jsonl", "csv", "xlsx"] = "jsonl", trace: bool = False,
) -> Response:  # fmt: skip
    """In order; those there are while the job runs."""
    lines = jobs.results(who, job_id, trace=trace)
    if format == "jsonl":
        return StreamingResponse(_encoded(lines), media_type="application/x-ndjson")
    folder = Path(tempfile.mkdtemp(prefix="pilotfish-"))
    path = folder / f"{job_id}.{format}"
    try:
        write_lines(path, lines)
    except BaseException:
        _clear(folder)
        raise
    after = BackgroundTask(_clear, folder)
    return FileResponse(path, media_type=KINDS[format], filename=path.name, background=after)


def _encoded(lines: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    """Blocks of lines: one write for each line would cost more than the line."""
    block: list[str] = []
    for line in lines:
        block.append(json.dumps(line) + "\n")
        if len(block) == 100:
            yield "".join(block).encode()
            block.clear()
    yield "".join(block).encode()


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@router.get("/{job_id}/events", summary="Its events as they happen (SSE)")
async def events(request: Request, job_id: str, who: Asker, jobs: Service) -> Response:
    """`progress` (the job), `item` (a finished line), `end` (the job, at last)."""
    await to_thread.run_sync(jobs.view, who, job_id)  # a 404 before the stream begins
    since = request.headers.get("last-event-id")
    stream = Events(jobs, who, job_id, since)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream.lines(), media_type="text/event-stream", headers=headers)


@router.post("/{job_id}/pause", summary="Pause it")
def pause(job_id: str, who: Asker, jobs: Service) -> Response:
    """Nothing more is taken; what is being worked on ends."""
    return AsciiJSON(jobs.pause(who, job_id))


@router.post("/{job_id}/resume", summary="Let it go on")
def resume(job_id: str, who: Asker, jobs: Service) -> Response:
    """Goes on with what is missing; nothing that is finished is done again."""
    return AsciiJSON(jobs.resume(who, job_id))


@router.post("/{job_id}/cancel", summary="End it")
def cancel(job_id: str, who: Asker, jobs: Service) -> Response:
    """Nothing more is taken, for good."""
    return AsciiJSON(jobs.cancel(who, job_id))


@router.post("/{job_id}/retry", summary="Do failed items again")
def retry(job_id: str, who: Asker, jobs: Service, form: RetryForm | None = None) -> Response:
    """Failed, dead and unknown ones, or those of `states`."""
    return AsciiJSON(jobs.retry(who, job_id, form.states if form else AGAIN))
