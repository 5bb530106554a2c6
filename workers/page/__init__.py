"""The page: Ask, Documents, Jobs, Usage, made on the server out of the same functions as the API.

`install(app)` adds all of it to the application. No logic of its own, no build step, no request
to anywhere else. Not here: the API (routes_*.py).
"""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from workers.page import answers, files, holdings, jobs, money
from workers.page.door import Door

router = APIRouter(include_in_schema=False)
for _part in (answers, holdings, jobs, money, files):
    router.include_router(_part.router)


def install(app: FastAPI) -> None:
    """Add the page's routes, and its door around everything; call it after Access was added.

    A second call does nothing.
    """
    if getattr(app.state, "has_page", False):
        return
    app.state.has_page = True
    app.include_router(router)
    process = app.state.jobs.process
    app.add_middleware(Door, database=process.database, secret=process.workspace.secret)
