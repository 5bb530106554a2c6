"""Routes that answer at once: one question, a search, an estimate. Not here: many (routes_jobs)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from pilotfish.types import Question, Scope
from store.submissions import Job
from workers.forms import AnswerForm, JobForm, SearchForm, digest_of
from workers.jobs import Jobs
from workers.replies import AsciiJSON
from workers.requests import (
    Asker,
    Body,
    IdempotencyKey,
    Service,
    Waits,
    as_form,
    body_of,
)
from workers.routes_jobs import BODY, read_lines

router = APIRouter(prefix="/v1", tags=["answers"])
MOST_WAIT = 600.0


@router.post("/answers", summary="Answer one question", responses={202: {"description": "a job"}})
async def answers(
    request: Request,
    form: AnswerForm,
    who: Asker,
    jobs: Service,
    wait: Annotated[float, Query(ge=0, le=MOST_WAIT, description="seconds")] = 60.0,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """One result line; `202` with the job while it takes longer than `wait` seconds."""
    waits: Waits = request.app.state.waits
    digest = None
    if idempotency_key is not None:
        digest = digest_of("/v1/answers", form.model_dump(exclude={"trace"}))
    asked = form.asked(idempotency_key, digest)
    ask = partial(jobs.ask, who, form.line(), asked, trace=form.trace)
    found = await waits.run(wait, ask)
    if isinstance(found, Job):
        view = await to_thread.run_sync(jobs.view, who, found.id)
        return AsciiJSON(view, 202, {"location": f"/v1/jobs/{found.id}"})
    return AsciiJSON(found)


@router.post("/search", summary="Find passages")
def search(form: SearchForm, who: Asker, jobs: Service) -> Response:
    """The best passages for a query, best first."""
    question = Question(form.query, scope=Scope(where=form.where, kind=form.kind))
    found = jobs.holdings.search(who, form.collection, question, form.retriever, form.k)
    return AsciiJSON({"data": found})


@router.post("/estimates", summary="What a job would cost", openapi_extra=BODY)
async def estimates(request: Request, who: Asker, jobs: Service) -> Response:
    """Takes what `POST /v1/jobs` takes; spends nothing."""
    async with body_of(request) as body:
        form = as_form(JobForm, body.fields)
        return AsciiJSON(await _estimated(jobs, who, form, body))


async def _estimated(jobs: Jobs, who: Asker, form: JobForm, body: Body) -> dict[str, Any]:
    lines = await read_lines(form, body, jobs.process.settings.limits.question_chars)
    return await to_thread.run_sync(jobs.estimate, who, lines, form.asked(None, None))
