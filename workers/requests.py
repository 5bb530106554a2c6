"""What every route takes out of a request: who asks, the jobs, pages, keys, bodies of two kinds.

Not here: the fields of bodies (forms.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Header, Query, Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from pilotfish.errors import InputError
from workers.access import WHO
from workers.asked import Who
from workers.forms import Form
from workers.jobs import Jobs
from workers.replies import Refused, invalid

T = TypeVar("T")
F = TypeVar("F", bound=Form)
MOST_FILES, MOST_FIELDS, FIELD_BYTES = 1000, 50, 1 << 20


async def who_of(request: Request) -> Who:
    """Set by Access for every route but the open ones. Asynchronous, as nothing here waits: the
    others cost a hop to a thread and back.
    """
    who: Who = request.scope[WHO]
    return who


async def jobs_of(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


Asker = Annotated[Who, Depends(who_of)]
Service = Annotated[Jobs, Depends(jobs_of)]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows of one page")]
IdempotencyKey = Annotated[
    str | None, Header(description="the same key with the same body is the same request")
]


def cursor_number(after: str | None, least: int) -> int:
    """A cursor that counts rows; InputError for one that we did not give."""
    if after is None:
        return least
    if not (after.isascii() and after.isdigit() and len(after) < 16):
        raise InputError(f"after={after[:40]!r} is no cursor of this list: take next_cursor")
    return int(after)


class Waits:
    """Threads for those who wait, apart from those that work: waiting must not stop the rest."""

    def __init__(self, most: int) -> None:
        self._limiter = CapacityLimiter(most)

    async def run(self, wait: float, ask: Callable[[float], T]) -> T:
        """`ask(wait)`; not waiting at all when too many wait already."""
        if self._limiter.available_tokens < 1:
            return await to_thread.run_sync(partial(ask, 0.0))
        return await to_thread.run_sync(partial(ask, wait), limiter=self._limiter)


class Invalid(Refused):
    """A body of our own reading that is not as the form wants it."""

    def __init__(self, error: ValidationError) -> None:
        super().__init__(422, "invalid_request", "invalid request")
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        self.answer = invalid(problems)


def as_form(kind: type[F], fields: Mapping[str, Any]) -> F:
    """The fields as a form; Invalid names what is wrong."""
    try:
        return kind.model_validate(dict(fields))
    except ValidationError as error:
        raise Invalid(error) from None


@dataclass(frozen=True, slots=True)
class Body:
    """A body as JSON, or as multipart with files, each (name, file)."""

    fields: Mapping[str, Any]
    files: list[tuple[str, UploadFile]]

    async def hashed(self) -> list[tuple[str, str]]:
        """(name, sha256) of each file, which stands at its start again afterwards."""
        return [(name, await _hash(file)) for name, file in self.files]


async def _hash(file: UploadFile) -> str:
    digest = hashlib.sha256()
    await file.seek(0)
    while block := await file.read(1 << 20):
        digest.update(block)
    await file.seek(0)
    return digest.hexdigest()


@asynccontextmanager
async def body_of(request: Request, *, json_too: bool = True) -> AsyncIterator[Body]:
    """Read JSON or multipart; files are closed at the end."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" and json_too:
        yield Body(await _json(request), [])
    elif kind == "multipart/form-data":
        form = await _multipart(request)
        try:
            yield _parts(form)
        finally:
            await form.close()
    else:
        wanted = "application/json or multipart/form-data" if json_too else "multipart/form-data"
        raise Refused(415, "unsupported_media_type", f"content-type {kind!r}: send {wanted}")


async def _json(request: Request) -> Mapping[str, Any]:
    raw = await request.body()
    try:
        fields = await to_thread.run_sync(json.loads, raw)
    except (ValueError, RecursionError):
        raise Refused(400, "invalid_json", "the body is not valid JSON: check its syntax") from None
    if not isinstance(fields, dict):
        raise Refused(422, "invalid_request", "body: send a JSON object")
    return fields


async def _multipart(request: Request) -> Any:
    reading: Awaitable[Any] = request.form(
        max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=FIELD_BYTES
    )
    try:
        return await reading
    except (ValueError, KeyError, AssertionError):  # its parser's, for bytes that are none of it
        raise Refused(
            400, "invalid_multipart", "the body is no readable multipart/form-data"
        ) from None


def _parts(form: Any) -> Body:
    fields: dict[str, Any] = {}
    files: list[tuple[str, UploadFile]] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name != "file":
                raise Refused(422, "invalid_request", "files belong into parts named 'file'")
            files.append((value.filename or "", value))
        else:
            fields[name] = value
    return Body(fields, files)
