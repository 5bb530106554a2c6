"""An uploaded file of requests becomes a batch: one job, with OpenAI's words for it in its notes.

Not here: reading lines (openai_lines.py), routes and how a batch is shown (openai_batches.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilotfish.errors import NotFound
from pipeline.questions import Line
from store import serving, submissions, uploads
from store.submissions import Submission
from workers.asked import Asked, InvalidLines, Who, accepted, check, refused, webhook_of
from workers.jobs import Jobs
from workers.logs import learn
from workers.openai_errors import Unfit
from workers.openai_files import uploaded
from workers.openai_forms import PILOTFISH
from workers.openai_lines import BatchForm, BatchOptions, Read, read_batch
from workers.telemetry_items import carrying

MOST_ERRORS = 1000


def make(jobs: Jobs, who: Who, form: BatchForm, *, base: str, key: str | None, digest: str) -> str:
    """The id of the batch that the form asks for; a new one, or the one that the key made before.
    One whose file has bad lines has failed already.
    """
    read = read_batch(_bytes(jobs, who, form.input_file_id), _longest(jobs))
    asked = _asked(form, read, key, digest)
    check(jobs.process.settings, who, asked)
    batch: dict[str, Any] = {
        "input_file_id": form.input_file_id, "metadata": form.metadata, "model": read.model,
        "base": base,
    }  # fmt: skip
    lines: Sequence[Line] = ()
    try:
        lines = accepted(read.lines, asked.skip_invalid, _longest(jobs))
    except InvalidLines as error:
        batch["errors"] = [_problem(*one) for one in error.problems[:MOST_ERRORS]]
    return _submit(jobs, who, lines, asked, batch)


def _longest(jobs: Jobs) -> int:
    return jobs.process.settings.limits.question_chars


def _bytes(jobs: Jobs, who: Who, name: str) -> bytes:
    try:
        row = uploaded(jobs, who, name)
        return uploads.place(jobs.process.workspace.root, row.id).read_bytes()
    except (NotFound, FileNotFoundError):
        raise NotFound(f"no file {name!r}: upload it with purpose 'batch' first") from None


def _asked(form: BatchForm, read: Read, key: str | None, digest: str) -> Asked:
    """What the batch says, and over it what all of its lines say."""
    given, own = form.pilotfish, read.options
    parameters = given.parameters(deadline=given.deadline) | own.given()
    return Asked(
        own.collection or given.collection, _recipe(given, read), parameters,
        given.budget_usd, given.budget_tokens, given.webhook_url, given.name, given.skip_invalid,
        key, digest,
    )  # fmt: skip


def _recipe(given: BatchOptions, read: Read) -> str:
    """The lines' own; the batch's where they leave it open."""
    if "recipe" not in given.model_fields_set:
        return read.recipe
    open_ = read.model in {"", PILOTFISH} and "recipe" not in read.options.model_fields_set
    if not open_ and given.recipe != read.recipe:
        raise Unfit(f"pilotfish.recipe is {given.recipe!r}, but the lines say {read.recipe!r}")
    return given.recipe


def _problem(number: int, message: str) -> dict[str, Any]:
    return {"code": "invalid_line", "line": number, "message": message, "param": None}


def _submit(
    jobs: Jobs, who: Who, lines: Sequence[Line], asked: Asked, batch: dict[str, Any]
) -> str:
    """The job's id. Without lines it is over at once: it only keeps what was wrong."""
    questions = [(line.custom_id, {"question": line.question, **line.fields}) for line in lines]
    notes: dict[str, Any] = {"batch": batch} | ({"name": asked.name} if asked.name else {})
    parameters = carrying(asked.parameters, len(questions))
    with jobs.database.write() as connection:
        collection = jobs.holdings.find(connection, who, asked.collection)
        job_id, new = submissions.submit(connection, Submission(
            collection, asked.recipe, parameters, questions, "answer", who.tenant,
            who.key_id, asked.idempotency_key, asked.body_sha256, asked.budget_usd,
            asked.budget_tokens, webhook_of(asked), notes,
        ))  # fmt: skip
        if new and lines:
            serving.fail(connection, job_id, refused(lines))
        elif new:
            submissions.cancel(connection, job_id)
    learn(job=job_id)
    return job_id
