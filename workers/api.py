"""The HTTP interface: one FastAPI application over the jobs of a process.

Routes live in routes_*.py; access, limits and left-over errors around them in access.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

import pilotfish
from pilotfish.errors import PilotfishError
from workers import (
    openai_routes,
    page,
    replies,
    routes_answers,
    routes_documents,
    routes_health,
    routes_jobs,
)
from workers.access import Access
from workers.bell import Bell
from workers.jobs import Jobs
from workers.process import Process
from workers.replies import Refused
from workers.requests import Invalid, Waits
from workers.telemetry_http import Observed

ROUTERS = (
    routes_answers.router,
    routes_jobs.router,
    routes_documents.router,
    routes_health.router,
    openai_routes.router,
)
THREADS, WAITERS = 64, 256
MEGABYTE = 1_000_000


def create_app(process: Process, bell: Bell) -> FastAPI:
    """The application. It owns neither process nor bell; `app.state.jobs.waiting` is closed with
    it.
    """
    app = FastAPI(
        title="Pilotfish", version=pilotfish.__version__, lifespan=_life,
        docs_url=None, redoc_url=None,  # both load scripts from elsewhere
        # its own would tell query strings and the words of errors: see telemetry_otel.py
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        description="Answers over your documents, every sentence cited.",
    )  # fmt: skip
    app.state.jobs = Jobs(process, bell)
    app.state.waits = Waits(WAITERS)
    app.state.seen = {}
    for router in ROUTERS:
        app.include_router(router)
    _errors(app)
    app.add_middleware(
        Access, database=process.database, body_bytes=process.settings.service.body_mb * MEGABYTE,
        seen=app.state.seen,
    )  # fmt: skip
    page.install(app)
    app.add_middleware(Observed, telemetry=process.telemetry)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    try:
        yield
    finally:
        await to_thread.run_sync(app.state.jobs.waiting.close)


def _errors(app: FastAPI) -> None:
    """Every error that routes may raise, in one envelope."""

    async def ours(_: Request, error: Exception) -> Response:
        assert isinstance(error, PilotfishError)
        return replies.of_ours(error)

    async def refusal(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return error.answer if isinstance(error, Invalid) else replies.of_refusal(error)

    async def validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return replies.of_validation(error)

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return replies.of_http(error)

    app.add_exception_handler(PilotfishError, ours)
    app.add_exception_handler(Refused, refusal)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
