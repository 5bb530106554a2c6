"""Routes about the service itself: is it alive, is it ready, which version, its metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

import pilotfish
from pilotfish.errors import PilotfishError
from store.database import HEAD
from workers.jobs import Jobs
from workers.metrics import exposition
from workers.replies import AsciiJSON, Refused
from workers.requests import Asker, Service

router = APIRouter(tags=["health"])
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/livez", summary="Whether the process answers")
async def alive() -> Response:
    """Looks at nothing else."""
    return AsciiJSON({"status": "alive"})


@router.get("/readyz", summary="Whether work can be taken")
def ready(jobs: Service) -> Response:
    """`503` when the database is away or of another version; a silent queue is a warning, since
    nothing is lost by it.
    """
    problem = _database_problem(jobs)
    warnings = [] if jobs.bell.ready() else ["the queue does not answer: work is taken, and waits"]
    checks = {"database": problem is None, "queue": not warnings}
    body: dict[str, Any] = {"status": "ready", "checks": checks, "warnings": warnings}
    if problem is not None:
        body |= {"status": "not ready", "reason": problem}
    return AsciiJSON(body, 200 if problem is None else 503)


def _database_problem(jobs: Jobs) -> str | None:
    try:
        found = jobs.database.version()
    except PilotfishError as error:
        return error.code  # not the message: this route is open, and it names a place
    return None if found == HEAD else "the database has another schema version"


@router.get("/version", summary="Version")
async def version() -> Response:
    """Of the program."""
    return AsciiJSON({"version": pilotfish.__version__, "schema": HEAD})


@router.get("/metrics", summary="Prometheus metrics")
def metrics(request: Request, who: Asker, jobs: Service) -> Response:
    """With an admin key, or from this machine."""
    if not who.admin:
        raise Refused(403, "admin_only", "metrics need an admin key")
    return Response(exposition(jobs.database, request.app.state.seen), media_type=PROMETHEUS)
