"""OpenAI's batches: each is one of our jobs, with what OpenAI's shape needs in its notes.

A file with bad lines makes a batch that has failed and says which; nothing of it is asked.
Not here: making one (openai_making.py), its files (openai_outputs.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from pilotfish.errors import NotFound
from store import serving, submissions
from store.submissions import Job
from workers.asked import Who
from workers.forms import digest_of
from workers.jobs import Jobs
from workers.openai_chat import address
from workers.openai_errors import OpenAIRoute, Unfit
from workers.openai_files import page
from workers.openai_lines import ENDPOINT, BatchForm
from workers.openai_making import make
from workers.openai_outputs import Kind, file_id, noted
from workers.replies import AsciiJSON
from workers.requests import Asker, IdempotencyKey, Service
from workers.shown import job_shown

router = APIRouter(prefix="/v1/batches", tags=["openai"], route_class=OpenAIRoute)
BLOCK = 100
KINDS: tuple[Kind, ...] = ("output", "error")


@router.post("", summary="Answer the lines of an uploaded file")
async def create(
    request: Request, form: BatchForm, who: Asker, jobs: Service,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """All bad lines are named in `errors` of a batch that has failed, unless
    `pilotfish.skip_invalid` lets the good ones go on.
    """
    if form.endpoint != ENDPOINT:
        raise Unfit(f"endpoint: only {ENDPOINT} is supported", "endpoint")
    if form.completion_window != "24h":
        raise Unfit("completion_window: only '24h' is supported", "completion_window")
    digest = digest_of("/v1/batches", form.model_dump())
    making = partial(
        make, jobs, who, form, base=address(request), key=idempotency_key, digest=digest
    )
    batch_id = await to_thread.run_sync(making)
    return AsciiJSON(await to_thread.run_sync(partial(show, jobs, who, batch_id, secret=True)))


@router.get("", summary="Batches, newest first")
def listing(
    who: Asker, jobs: Service, limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: str | None = None,
) -> Response:  # fmt: skip
    """A page of batches."""
    with jobs.database.read() as connection:
        if after is not None:
            submissions.find(connection, after, who.tenant)
        found = _batches(connection, who, after)
        rows = [
            shown(connection, job, who) for job, _ in zip(found, range(limit + 1), strict=False)
        ]
    return AsciiJSON(page(rows, limit))


def _batches(connection: Any, who: Who, after: str | None) -> Iterator[Job]:
    while True:
        ids = serving.job_ids(connection, who.tenant, BLOCK, after, False)
        for job_id in ids:
            job = submissions.find(connection, job_id, who.tenant)
            if "batch" in job.notes:
                yield job
        if len(ids) < BLOCK:
            return
        after = ids[-1]


@router.get("/{batch_id}", summary="One batch")
def view(batch_id: str, who: Asker, jobs: Service) -> Response:
    """Its state, counts, and when it has ended its files."""
    return AsciiJSON(show(jobs, who, batch_id))


@router.post("/{batch_id}/cancel", summary="End it")
def cancel(batch_id: str, who: Asker, jobs: Service) -> Response:
    """What is being worked on ends; what is there by then is in its files."""
    with jobs.database.read() as connection:
        find(connection, who, batch_id)
    jobs.cancel(who, batch_id)
    return AsciiJSON(show(jobs, who, batch_id))


def find(connection: Any, who: Who, batch_id: str) -> Job:
    """The job of a batch; NotFound for others', and for jobs that are none."""
    with suppress(NotFound):
        job = submissions.find(connection, batch_id, who.tenant)
        if "batch" in job.notes:
            return job
    raise NotFound(f"no batch {batch_id[:80]!r}")


def show(jobs: Jobs, who: Who, batch_id: str, *, secret: bool = False) -> dict[str, Any]:
    """The batch; its files are noted when it is first seen at its end. `secret`: its webhook's,
    for whoever created it.
    """
    with jobs.database.read() as connection:
        job = find(connection, who, batch_id)
        found = shown(connection, job, who)
        if secret:
            found["pilotfish"] = job_shown(connection, job, who.tenant, secret)
    for kind in KINDS:
        if file_id(job, kind):
            with suppress(NotFound):  # somebody deleted it
                noted(jobs, who, job, kind)
    return found


def shown(connection: Any, job: Job, who: Who) -> dict[str, Any]:
    """A job as OpenAI shows a batch; ours under `pilotfish`."""
    batch, status = job.notes["batch"], status_of(job)
    done = sum(job.counts.get(state, 0) for state in ("answered", "abstained", "forgotten"))
    failed = sum(job.counts.get(state, 0) for state in ("failed", "dead", "unknown"))
    errors = batch.get("errors")
    over = None if job.finished is None else int(job.finished)
    stopped = over if job.state == "cancelled" and not errors else None
    return {
        "id": job.id, "object": "batch", "endpoint": ENDPOINT, "completion_window": "24h",
        "input_file_id": batch["input_file_id"], "status": status, "model": batch["model"],
        "errors": {"object": "list", "data": errors} if errors else None,
        "output_file_id": file_id(job, "output"), "error_file_id": file_id(job, "error"),
        "created_at": int(job.created), "in_progress_at": None if errors else int(job.created),
        "finalizing_at": over if status == "completed" else None,
        "completed_at": over if status == "completed" else None,
        "failed_at": over if errors else None, "expires_at": None, "expired_at": None,
        "cancelling_at": stopped, "cancelled_at": stopped if status == "cancelled" else None,
        "request_counts": {"total": job.total, "completed": done, "failed": failed},
        "metadata": batch["metadata"], "pilotfish": job_shown(connection, job, who.tenant),
    }  # fmt: skip


def status_of(job: Job) -> str:
    """OpenAI's word for where the job is. `validating` never shows: lines are checked at once."""
    if job.notes["batch"].get("errors"):
        return "failed"
    if job.state == "cancelled":
        return "cancelled" if job.done == job.total else "cancelling"
    if job.state in submissions.ENDED:
        return "completed"
    return "finalizing" if job.done == job.total else "in_progress"
