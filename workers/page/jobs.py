"""Jobs: the list, a new one with its estimate, one job live, what can be done to it, downloads.

Not here: doing it (workers/jobs.py); reading forms is the API's (routes_jobs.py).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from pilotfish.errors import PilotfishError
from pipeline.questions import Line
from store import submissions
from store.submissions import ENDED
from workers import routes_jobs
from workers.asked import InvalidLines, Who
from workers.forms import JobForm, digest_of, lines_in
from workers.jobs import Jobs
from workers.page.answers import choices
from workers.page.shown import shown
from workers.replies import Refused, of_ours
from workers.requests import Asker, Body, Limit, Service, as_form, body_of, cursor_number

router = APIRouter(prefix="/jobs", include_in_schema=False)
Verb = Literal["pause", "resume", "cancel", "retry"]
ROWS = 50
_FINISHED = ("answered", "abstained", "failed", "dead", "unknown", "cancelled")


@router.get("")
def listing(
    request: Request, who: Asker, jobs: Service, limit: Limit = 50, after: str | None = None
) -> Response:
    """Newest first."""
    return shown(request, "jobs.html", 200, listed=jobs.listing(who, limit, after, False))


@router.get("/new")
def new(request: Request, who: Asker, jobs: Service) -> Response:
    """The empty form."""
    return _form(request, who, jobs, 200, {})


def _form(
    request: Request, who: Who, jobs: Jobs, code: int, values: dict[str, Any]
) -> Response:  # fmt: skip
    filled = {"fields": {}, "problem": None, "bad": [], **choices(who, jobs), **values}
    return shown(request, "job_new.html", code, **filled)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form as it was sent. `nonce` makes a form that is sent twice one job."""

    form: JobForm
    body: Body
    pasted: str
    nonce: str

    async def lines(self, limit: int) -> list[Line]:
        """The questions, pasted or out of the file."""
        if self.body.files or not self.pasted:
            return await routes_jobs.read_lines(self.form, self.body, limit)
        kind = "jsonl" if self.pasted.startswith("{") else "txt"
        return await to_thread.run_sync(
            lines_in, f"questions.{kind}", self.pasted.encode(), limit
        )  # fmt: skip

    async def key(self) -> tuple[str, str]:
        """(idempotency key, digest of what was sent)."""
        fields = {**self.form.model_dump(), "pasted": self.pasted}
        digest = digest_of("/jobs/new", fields, await self.body.hashed())
        return f"page-{self.nonce}-{digest[:32]}", digest


def _wanted(body: Body) -> Wanted:
    """Without the fields and the file that were left empty."""
    fields = {name: value for name, value in body.fields.items() if str(value).strip()}
    pasted = str(fields.pop("pasted", "")).replace("\r\n", "\n").strip()
    nonce = str(fields.pop("nonce", ""))[:40]
    files = [(name, file) for name, file in body.files if name or file.size]
    return Wanted(as_form(JobForm, fields), Body(fields, files), pasted, nonce)


@router.post("/new")
async def submit(request: Request, who: Asker, jobs: Service) -> Response:
    """Start it; a form that cannot be taken comes back with what is wrong."""
    async with body_of(request, json_too=False) as body:
        try:
            wanted = _wanted(body)
            lines = await wanted.lines(jobs.process.settings.limits.question_chars)
            asked = wanted.form.asked(*await wanted.key())
            job, _ = await to_thread.run_sync(jobs.submit, who, lines, asked)
        except (PilotfishError, Refused) as error:
            code, values = _problem(error)
            values["fields"] = dict(body.fields)
            return await to_thread.run_sync(_form, request, who, jobs, code, values)
    return RedirectResponse(f"/jobs/{job.id}", 303)


def _problem(error: PilotfishError | Refused) -> tuple[int, dict[str, Any]]:
    if isinstance(error, InvalidLines):
        count = len(error.problems)
        text = f"{count} lines cannot be asked. Mend them, or skip them." if count > 1 else (
            "One line cannot be asked. Mend it, or skip it."
        )  # fmt: skip
        return 422, {"problem": text, "bad": error.problems[:20]}
    if isinstance(error, Refused):
        return error.status, {"problem": str(error)}
    return of_ours(error).status_code, {"problem": str(error)}


@router.post("/estimate")
async def estimate(request: Request, who: Asker, jobs: Service) -> Response:
    """What it would cost at most, as a part of the form."""
    found: Mapping[str, Any] | None = None
    values: dict[str, Any] = {"problem": None, "bad": []}
    async with body_of(request, json_too=False) as body:
        try:
            wanted = _wanted(body)
            lines = await wanted.lines(jobs.process.settings.limits.question_chars)
            asked = wanted.form.asked(None, None)
            found = await to_thread.run_sync(jobs.estimate, who, lines, asked)
        except (PilotfishError, Refused) as error:
            values = _problem(error)[1] | {"bad": _problem(error)[1].get("bad", [])}
    return shown(request, "estimate.html", 200, estimate=found, **values)


@router.get("/{job_id}")
def view(
    request: Request, job_id: str, who: Asker, jobs: Service, after: str | None = None,
    state: Annotated[list[routes_jobs.State] | None, Query()] = None,
) -> Response:  # fmt: skip
    """One job, live while it runs."""
    return _view(request, "job.html", jobs, who, job_id, after, state or [])


@router.get("/{job_id}/live")
def live(
    request: Request, job_id: str, who: Asker, jobs: Service, after: str | None = None,
    state: Annotated[list[routes_jobs.State] | None, Query()] = None,
) -> Response:  # fmt: skip
    """What changes of it, for the script to put in place."""
    return _view(request, "job_live.html", jobs, who, job_id, after, state or [])


def _view(
    request: Request, template: str, jobs: Jobs, who: Who, job_id: str, after: str | None,
    states: list[Any],
) -> Response:  # fmt: skip
    job = jobs.view(who, job_id)
    start = cursor_number(after, -1)
    with jobs.database.read() as connection:
        rows = submissions.results(connection, job_id, start, ROWS + 1, states or _FINISHED)
    pairs = list(zip(rows, submissions.lines(rows), strict=True))
    return shown(
        request, template, 200, job=job, over=job["state"] in ENDED, pace=_pace(job),
        rows=pairs[:ROWS], further=rows[ROWS - 1]["ordinal"] if len(rows) > ROWS else None,
        states=states, after=after,
    )  # fmt: skip


def _pace(job: Mapping[str, Any]) -> dict[str, Any]:
    """How long it has taken, and about how long the rest will."""
    seconds = (job["finished"] or time.time()) - job["created"]
    left = job["total"] - job["done"]
    rest = seconds / job["done"] * left if job["done"] and job["state"] == "running" else None
    return {"seconds": seconds, "rest": rest if left else None}


@router.get("/{job_id}/events")
async def events(request: Request, job_id: str, who: Asker, jobs: Service) -> Response:
    """The API's own stream."""
    return await routes_jobs.events(request, job_id, who, jobs)


@router.get("/{job_id}/results")
def results(
    job_id: str, who: Asker, jobs: Service, format: Literal["jsonl", "csv", "xlsx"] = "jsonl"
) -> Response:
    """The API's own files, to be kept."""
    found = routes_jobs.results(job_id, who, jobs, format)
    found.headers["content-disposition"] = f'attachment; filename="{job_id}.{format}"'
    return found


@router.post("/{job_id}/{verb}")
def change(
    job_id: str, verb: Verb, who: Asker, jobs: Service, back: Annotated[str, Form()] = ""
) -> Response:
    """Pause, resume, cancel, or do what failed again."""
    getattr(jobs, verb)(who, job_id)
    return RedirectResponse("/jobs" if back == "jobs" else f"/jobs/{job_id}", 303)
