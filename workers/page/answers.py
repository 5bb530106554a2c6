"""Ask, and the answer with its sources and its trace.

Not here: answering (workers/jobs.py), how a line becomes sentences (sentences.py).
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from pilotfish.errors import NotFound, PilotfishError
from pipeline.questions import Line
from pipeline.recipes import RECIPES
from store import submissions
from store.submissions import Job
from workers.asked import Asked, Who
from workers.jobs import Jobs
from workers.page.sentences import denials, place_of, sentences_of, sources_of, waterfall
from workers.page.shown import shown
from workers.page.source import source_of
from workers.replies import of_ours
from workers.requests import Asker, Service, Waits

router = APIRouter(include_in_schema=False)
Ordinal = Annotated[int, Path(ge=0, le=10**9)]
WAIT = 25.0  # seconds before the page shows that it takes longer
LATEST = 6


@router.get("/")
def ask(request: Request, who: Asker, jobs: Service) -> Response:
    """The empty form, and what was asked lately."""
    return _form(request, who, jobs, 200, {"latest": _latest(who, jobs)})


def _form(
    request: Request, who: Who, jobs: Jobs, code: int, values: dict[str, Any]
) -> Response:  # fmt: skip
    filled: dict[str, Any] = {"question": "", "collection": None, "recipe": "default"}
    filled |= {"problem": None, "latest": [], **choices(who, jobs), **values}
    return shown(request, "ask.html", code, **filled)


def choices(who: Who, jobs: Jobs) -> dict[str, Any]:
    """What forms offer."""
    own = jobs.process.settings.collection
    listed = jobs.holdings.listing(who)
    listed.sort(key=lambda one: one["name"] != own)
    return {"collections": listed, "recipes": list(RECIPES),
            "models": jobs.process.settings.llm.models}  # fmt: skip


def _latest(who: Who, jobs: Jobs) -> list[dict[str, Any]]:
    listed = jobs.listing(who, 50, None, singles=True)["data"]
    ones = [job for job in listed if job["kind"] == "answer" and job["total"] == 1][:LATEST]
    found = []
    for job in ones:
        (item,) = jobs.items_page(who, job["id"], 1, -1, [])["data"]
        if item["question"]:
            found.append({"job": job["id"], "question": item["question"], "state": item["state"],
                          "created": job["created"]})  # fmt: skip
    return found


@router.post("/ask")
async def asked(
    request: Request, who: Asker, jobs: Service, question: Annotated[str, Form()] = "",
    collection: Annotated[str | None, Form()] = None, recipe: Annotated[str, Form()] = "default",
) -> Response:  # fmt: skip
    """Answer, then show it at its own address."""
    waits: Waits = request.app.state.waits
    wanted = Asked(collection or None, recipe)
    line = Line(1, "1", question.replace("\r\n", "\n").strip())
    try:
        found = await waits.run(WAIT, partial(jobs.ask, who, line, wanted))
    except PilotfishError as error:
        again = {"question": question, "collection": collection, "recipe": recipe}
        values = {**again, "problem": str(error)}
        return await to_thread.run_sync(
            _form, request, who, jobs, of_ours(error).status_code, values
        )
    job_id = found.id if isinstance(found, Job) else found["job"]
    return RedirectResponse(f"/answers/{job_id}/0", 303)


@router.get("/answers/{job_id}/{ordinal}")
def answer(
    request: Request, job_id: str, ordinal: Ordinal, who: Asker, jobs: Service,
    cite: Annotated[int, Query(ge=1)] = 1,
) -> Response:  # fmt: skip
    """The answer left, a source right, the trace below."""
    job, item, line = _line(jobs, who, job_id, ordinal)
    places = _places(line)
    source, gone = _source(jobs, who, job, places, cite)
    return shown(
        request, "answer.html", 200, job=job, item=item, line=line, ordinal=ordinal, cite=cite,
        sentences=sentences_of(line) if line and "answer" in line else [], places=places,
        denied=len(denials(line)) if line else 0, source=source, gone=gone,
        bars=waterfall((line or {}).get("trace") or []),
        **choices(who, jobs),
    )  # fmt: skip


@router.get("/answers/{job_id}/{ordinal}/source/{cite}")
def source(
    request: Request, job_id: str, ordinal: Ordinal, cite: Ordinal, who: Asker, jobs: Service
) -> Response:
    """The source pane alone."""
    job, _, line = _line(jobs, who, job_id, ordinal)
    found, gone = _source(jobs, who, job, _places(line), cite)
    return shown(request, "source.html", 200, source=found, gone=gone, job=job, cite=cite)


def _line(
    jobs: Jobs, who: Who, job_id: str, ordinal: int
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]:
    """(job, item, its result line if it has ended)."""
    job = jobs.view(who, job_id)
    listed = jobs.items_page(who, job_id, 1, ordinal - 1, [])["data"]
    if ordinal < 0 or not listed or listed[0]["ordinal"] != ordinal:
        raise NotFound(f"job {job_id} has no item {ordinal}")
    with jobs.database.read() as connection:
        rows = submissions.results(connection, job_id, ordinal - 1, 1)
    rows = [row for row in rows if row["ordinal"] == ordinal]
    line = next(iter(submissions.lines(rows)), None)
    return job, listed[0], dict(line) if line else None


def _places(line: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What the source pane can show, each with where it stands in words."""
    return [{**one, "place": place_of(one)} for one in sources_of(line)] if line else []


def _source(
    jobs: Jobs, who: Who, job: dict[str, Any], places: list[dict[str, Any]], cite: int
) -> tuple[Any, str | None]:
    """(the source, why there is none)."""
    if not 1 <= cite <= len(places):
        return None, None
    try:
        return source_of(jobs, who, job["collection"], places[cite - 1]), None
    except NotFound as error:
        return None, str(error)
