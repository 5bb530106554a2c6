"""OpenAI's chat completions, streamed and not, and its list of models, over our own questions.

A stream begins with comments that keep the connection alive; its sentences are sent when all
of them are verified. Not here: shapes (openai_shapes.py), doing it (jobs.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from pilotfish.errors import InputError, PilotfishError, SettingsError
from store.submissions import ENDED, Job
from workers.asked import Asked, Who
from workers.forms import digest_of
from workers.jobs import Jobs
from workers.openai_errors import Failed, Late, OpenAIRoute, Unfit, answer_of
from workers.openai_forms import ChatForm, Understood, models, understood
from workers.openai_shapes import Shaper, event
from workers.replies import AsciiJSON, Refused, of_ours, of_refusal
from workers.requests import Asker, IdempotencyKey, Service, Waits

router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAIRoute)
MOST_WAIT = 600.0  # seconds, as long as OpenAI's client waits
LOOK_SECONDS, ALIVE_SECONDS = 0.5, 10.0
EARLY_SECONDS = 0.5  # errors that come so soon have a status of their own, also in a stream
MADE = 1_764_547_200  # models have a date in OpenAI's shape; ours is that of the first version


@router.post("/chat/completions", summary="OpenAI's chat completions")
async def chat(
    request: Request, form: ChatForm, who: Asker, jobs: Service,
    idempotency_key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """`model` is a recipe, the last message the question; options of ours under `pilotfish`."""
    limit = jobs.process.settings.limits.question_chars
    question = understood(form, limit)
    digest = digest_of("/v1/chat/completions", form.model_dump())
    asked = form.asked(idempotency_key, digest)
    shaper = _shaper(request, form, question, jobs)
    asking = Asking(jobs, request.app.state.waits, who, question, asked, form.pilotfish.trace)
    if form.stream:
        options = form.stream_options
        return await _streamed(asking, shaper, bool(options and options.include_usage))
    line = await asking.line()
    return AsciiJSON(shaper.completion(line, _name(line), time.time()))


@router.get("/models", summary="Recipes as models")
async def model_list(_: Asker) -> Response:
    return AsciiJSON({"object": "list", "data": [_model(name) for name in models()]})


@router.get("/models/{name}", summary="One model")
async def model(name: str, _: Asker) -> Response:
    if name not in models():
        raise Unfit(f"no model {name[:80]!r}", "model", code="model_not_found", status=404)
    return AsciiJSON(_model(name))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": MADE, "owned_by": "pilotfish"}


@dataclass(frozen=True, slots=True)
class Asking:
    """One question on its way."""

    jobs: Jobs
    waits: Waits
    who: Who
    question: Understood
    asked: Asked
    trace: bool

    async def line(self) -> dict[str, Any]:
        """The result line; Failed, Late or one of our errors when there is none."""
        until = time.monotonic() + MOST_WAIT
        ask = partial(self.jobs.ask, self.who, self.question.line(), self.asked, trace=self.trace)
        found = await self.waits.run(MOST_WAIT, ask)
        line = await self._later(found, until) if isinstance(found, Job) else found
        if line["status"] == "failed":
            raise Failed(line)
        return line

    async def _later(self, job: Job, until: float) -> dict[str, Any]:
        """Look now and then: there was no thread left to wait in."""
        while True:
            line = await to_thread.run_sync(self._look, job.id)
            if line is not None:
                return line
            if self.jobs.waiting.closing.is_set() or time.monotonic() > until:
                raise Late(job.id)
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self, job_id: str) -> dict[str, Any] | None:
        view = self.jobs.view(self.who, job_id)
        for line in self.jobs.results(self.who, job_id, trace=self.trace):
            return {k: v for k, v in line.items() if k != "question"} | {"job": job_id}
        if view["state"] == "paused":
            if self.asked.idempotency_key is None:  # nobody could come back to it
                self.jobs.cancel(self.who, job_id)
            raise SettingsError(view["reason"] or "the question was paused")
        if view["state"] in ENDED:
            error = {"code": "cancelled", "message": f"{job_id} was cancelled"}
            raise Failed({"status": "failed", "error": error})
        return None


def _shaper(request: Request, form: ChatForm, question: Understood, jobs: Jobs) -> Shaper:
    collection = form.pilotfish.collection or jobs.process.settings.collection
    return Shaper(form.model, collection, address(request), question.ignored)


def address(request: Request) -> str:
    """The service's own, as the client calls it."""
    return str(request.base_url).rstrip("/")


def _name(line: dict[str, Any]) -> str:
    return str(line["job"]).partition("_")[2]


async def _streamed(asking: Asking, shaper: Shaper, with_usage: bool) -> Response:
    task = asyncio.ensure_future(asking.line())
    task.add_done_callback(_seen)
    await asyncio.wait({task}, timeout=EARLY_SECONDS)
    if task.done():
        task.result()  # its error, if it has one, before the stream begins
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    stream = _events(task, shaper, with_usage)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _seen(task: asyncio.Future[Any]) -> None:
    """A client that leaves must not make the loop complain of an error that nobody looked at."""
    if not task.cancelled():
        task.exception()


async def _events(
    task: asyncio.Future[dict[str, Any]], shaper: Shaper, with_usage: bool
) -> AsyncIterator[bytes]:
    while not task.done():
        yield b": answering\n\n"
        await asyncio.wait({task}, timeout=ALIVE_SECONDS)
    try:
        line = task.result()
    except (InputError, Failed, Late) as error:
        yield b"data: " + bytes(answer_of(error).body) + b"\n\n"
    except PilotfishError as error:
        yield b"data: " + bytes(of_ours(error).body) + b"\n\n"
    except Refused as error:
        yield b"data: " + bytes(of_refusal(error).body) + b"\n\n"
    else:
        for chunk in shaper.chunks(line, _name(line), time.time(), with_usage):
            yield event(chunk)
    yield b"data: [DONE]\n\n"
