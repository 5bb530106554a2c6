"""What a batch gives when it has ended: its output file and its error file, in OpenAI's lines.

Their bytes are made of the items whenever they are asked for, so that they need no disk, survive
every crash, and hold nothing that was forgotten or removed since. A row among the files makes
them part of the list; a row of purpose `deleted` says that somebody removed one.
Not here: uploads (openai_files.py), batches themselves (openai_batches.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal

from pilotfish.errors import NotFound
from store import submissions, uploads
from store.keys import shown_name
from store.submissions import Job
from store.uploads import Upload
from workers.asked import Who
from workers.jobs import BLOCK, Jobs
from workers.openai_shapes import Shaper
from workers.shown import line_shown

Kind = Literal["output", "error"]
PURPOSE, DELETED = "batch_output", "deleted"
STATES: dict[Kind, tuple[str, ...]] = {
    "output": ("answered", "abstained"),
    "error": ("failed", "dead", "unknown", "cancelled"),
}
_ID = re.compile(r"file-(output|error)-([0-9a-f]{24})")


def file_id(job: Job, kind: Kind) -> str | None:
    """The id of that file; None while there is none, or nothing to go into it."""
    over = job.state in submissions.ENDED and job.done == job.total
    if not over or not any(job.counts.get(state) for state in STATES[kind]):
        return None
    return f"file-{kind}-{job.id.partition('_')[2]}"


def source(jobs: Jobs, who: Who, name: str) -> tuple[Job, Kind] | None:
    """The ended batch that a file's id speaks of; None for ids of uploads. NotFound for others'."""
    found = _ID.fullmatch(name)
    if found is None:
        return None
    kind: Kind = "output" if found[1] == "output" else "error"
    with jobs.database.read() as connection:
        try:
            job = submissions.find(connection, f"job_{found[2]}", who.tenant)
        except NotFound:
            raise NotFound(f"no file {name!r}") from None
    if "batch" not in job.notes or file_id(job, kind) != name:
        raise NotFound(f"no file {name!r}")
    return job, kind


def noted(jobs: Jobs, who: Who, job: Job, kind: Kind) -> Upload:
    """The file's row, which is written when it is first asked for; NotFound once it was deleted."""
    name = str(file_id(job, kind))
    with jobs.database.read() as connection:
        row = _row(connection, name, who.tenant, job)
    if row is None:
        size, digest = 0, hashlib.sha256()
        for block in lines(jobs, who, job, kind):
            size += len(block)
            digest.update(block)
        with jobs.database.write() as connection:
            row = _row(connection, name, who.tenant, job)
            if row is None:
                _drop(jobs, connection, name, who)
                title = f"{job.id}_{kind}.jsonl"
                saved = (name, size, digest.hexdigest())
                row = uploads.record(connection, who.tenant, title, PURPOSE, saved)
    if row.purpose == DELETED:
        raise NotFound(f"no file {name!r}")
    return row


def delete(jobs: Jobs, who: Who, job: Job, kind: Kind) -> None:
    """Take the file away; the items stay until their job's text is deleted."""
    row = noted(jobs, who, job, kind)
    with jobs.database.write() as connection:
        _drop(jobs, connection, row.id, who)
        uploads.record(connection, who.tenant, row.name, DELETED, (row.id, 0, ""))


def _row(connection: Any, name: str, tenant: str, job: Job) -> Upload | None:
    """The file's row; None when there is none, or the job went on since."""
    with suppress(NotFound):
        row = uploads.find(connection, name, tenant)
        return row if row.created >= (job.finished or 0.0) else None
    return None


def _drop(jobs: Jobs, connection: Any, name: str, who: Who) -> None:
    with suppress(NotFound):
        uploads.drop(connection, jobs.process.workspace.root, name, who.tenant)


def lines(jobs: Jobs, who: Who, job: Job, kind: Kind) -> Iterator[bytes]:
    """The file's bytes, a block of lines at a time."""
    batch = job.notes["batch"]
    shaper = Shaper(batch["model"], str(shown_name(who.tenant, job.collection)), batch["base"])
    after = -1
    while True:
        with jobs.database.read() as connection:
            rows = submissions.results(connection, job.id, after, BLOCK, STATES[kind])
        found = zip(rows, submissions.lines(rows), strict=True)
        block = [json.dumps(_line(job, row, line, shaper)) + "\n" for row, line in found]
        if block:
            yield "".join(block).encode()
        if len(rows) < BLOCK:
            return
        after = rows[-1]["ordinal"]


def _line(job: Job, row: dict[str, Any], line: dict[str, Any], shaper: Shaper) -> dict[str, Any]:
    name = f"{job.id.partition('_')[2]}-{row['ordinal']}"
    shown: dict[str, Any] = {"id": f"batch_req_{name}", "custom_id": row["custom_id"]}
    if line["status"] != "failed":
        body = shaper.completion(line_shown(line, False), name, row["finished"])
        response = {"status_code": 200, "request_id": f"req_{name}", "body": body}
        return shown | {"response": response, "error": None}
    error = line["error"] or {}
    told = {"code": error.get("code"), "message": error.get("message")}
    return shown | {"response": None, "error": told}
