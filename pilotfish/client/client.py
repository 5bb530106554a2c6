"""Client: ask, search, add, remove, submit; of the embedded engine, or of a service.

    with Client() as client:                                  # the engine, in ./.pilotfish
    with Client("https://rag.example.com", api_key=key) as client:

Not here: HTTP (transport.py), the engine's process (engine.py), jobs (job.py).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, Unpack
from urllib.parse import quote

from pilotfish.client import results
from pilotfish.client.errors import Failed, TimedOut
from pilotfish.client.job import Job
from pilotfish.client.results import Added, Collection, Document, Estimate, Result

if TYPE_CHECKING:
    from pilotfish.client.sources import Questions, Source
    from pilotfish.client.transport import Transport
    from pilotfish.types import Kind, Passage

ASK_SECONDS = 300.0
_WAIT = 30.0  # seconds for which one request waits for an answer
_DEFAULT = "default"


class How(TypedDict, total=False):
    """How questions are answered; what is left out is as the service is configured."""

    collection: str | None
    recipe: str
    model: str | None
    where: str | None
    passages: int | None
    max_calls: int | None
    max_error: float | None
    effort: float | None
    deadline: float | None
    on_unknown: Literal["retry", "hold"] | None
    on_budget: Literal["refuse", "extract"] | None


class Sent(TypedDict, total=False):
    """How a job is accepted."""

    budget_usd: float | None
    budget_tokens: int | None
    name: str | None
    webhook_url: str | None
    skip_invalid: bool


class Submitted(How, Sent, total=False):
    """All that a job may be given."""


class Client:
    """Without `url` it starts the engine as a child process, which ends with it.

    workspace, settings: of the embedded engine, such as {"llm.model": "openai/gpt-5-mini"}.
    collection: where calls look that name none. timeout: seconds within which the service must
    say something. retries: further attempts after broken connections, 429 and 503.
    """

    def __init__(
        self, url: str | None = None, *, api_key: str | None = None,
        workspace: str | Path | None = None, settings: Mapping[str, object] | None = None,
        collection: str | None = None, timeout: float = 60.0, retries: int = 3,
    ) -> None:  # fmt: skip
        from pilotfish.client.transport import Transport
        from pilotfish.errors import SettingsError

        if url is not None:
            if workspace is not None or settings:
                mend = "leave them out, or leave the url out"
                raise SettingsError(f"workspace and settings are the embedded engine's: {mend}")
            self.collection = collection or _DEFAULT
            self._transport: Transport = Transport(
                url, api_key=api_key, timeout=timeout, retries=retries
            )
            return
        self._transport = self._embedded(workspace, settings or {}, collection, timeout, retries)

    def _embedded(
        self, workspace: str | Path | None, settings: Mapping[str, object],
        collection: str | None, timeout: float, retries: int,
    ) -> Transport:  # fmt: skip
        """Settings are checked here, where the caller sees them, before anything starts."""
        from pilotfish.client.engine import Engine, environment
        from pilotfish.client.transport import Transport
        from pilotfish.settings import load

        place = {} if workspace is None else {"workspace": str(Path(workspace).resolve())}
        given = {**settings, **place}
        self.collection = collection or load(given).collection
        engine = Engine(environment(given))
        transport = Transport(None, timeout=timeout, retries=retries, engine=engine)
        try:
            engine.ensure()
        except BaseException:
            transport.close()
            raise
        return transport

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self._transport.where}>"

    def close(self) -> None:
        """Close connections; end the embedded engine, after what is being answered."""
        self._transport.close()

    def ask(
        self, question: str, *, table: str | None = None, topic: str | None = None,
        budget_usd: float | None = None, trace: bool = False, timeout: float = ASK_SECONDS,
        idempotency_key: str | None = None, **how: Unpack[How],
    ) -> Result:  # fmt: skip
        """One answer. Abstaining is no error: look at `status`. Failed when there is none.

        table: the id of the table to look in; topic: the entity of the graph to start from.
        timeout: seconds; afterwards TimedOut, and `details["job"]` has the answer later on.
        """
        from pilotfish.client.transport import Send

        fields = {"question": question, "table": table, "topic": topic,
                  "budget_usd": budget_usd, "trace": trace, **how}  # fmt: skip
        end, key = time.monotonic() + timeout, idempotency_key or uuid.uuid4().hex
        while True:
            wait = max(0.0, min(_WAIT, end - time.monotonic()))
            asked = Send(
                "POST", "/v1/answers", {"wait": f"{wait:.3f}"}, self._in(fields), key=key,
                timeout=wait + self._transport.timeout,
            )  # fmt: skip
            started = time.monotonic()
            reply = self._transport.send(asked)
            if reply.status != 202:
                return _answered(reply.json)
            if time.monotonic() >= end:
                late = f"no answer within {timeout:g} s; job {reply.json['id']} goes on"
                raise TimedOut(late, details={"job": reply.json["id"]})
            # Told to come back before the time: too many wait, or the service is ending.
            time.sleep(max(0.0, min(1.0, wait - (time.monotonic() - started))))

    def search(
        self, query: str, k: int = 10, *, retriever: Literal["fused", "bm25", "dense"] = "fused",
        kind: Kind | None = None, where: str | None = None, collection: str | None = None,
        timeout: float | None = None,
    ) -> list[Passage]:  # fmt: skip
        """The best passages, best first. kind: of which kind alone."""
        fields = {"query": query, "k": k, "retriever": retriever, "kind": kind, "where": where,
                  "collection": collection}  # fmt: skip
        found = self._transport.post("/v1/search", self._in(fields), timeout)
        return [results.passage(row) for row in found["data"]]

    def add(
        self, *sources: Source, collection: str | None = None, timeout: float | None = None,
        idempotency_key: str | None = None,
    ) -> Added:  # fmt: skip
        """Upload files, folders or (name, bytes), and wait until they can be asked about.

        A document's id is its file's name; adding a name again replaces it. Files that cannot
        be read are in `failed`, and stop nothing.
        """
        from pilotfish.client.follow import Lines
        from pilotfish.client.sources import files_of, parcels
        from pilotfish.client.transport import Send

        end = None if timeout is None else time.monotonic() + timeout
        path, jobs = f"{self._path(collection)}/documents", []
        for number, files in enumerate(parcels(files_of(sources))):
            key = f"{idempotency_key}.{number}" if idempotency_key else None
            reply = self._transport.send(Send("POST", path, body={}, files=files, key=key))
            jobs.append(Job(self._transport, results.job_view(reply.json)))
        for job in jobs:
            job.wait(None if end is None else max(0.0, end - time.monotonic()))
        lines = [line for job in jobs for line in Lines(self._transport, job.id).finished()]
        return results.added(lines, tuple(job.id for job in jobs))

    def remove(self, *documents: str, collection: str | None = None) -> int:
        """Remove documents by id, with all that came of them; give how many there were.

        Missing when one does not exist; those before it are gone then.
        """
        place = f"{self._path(collection)}/documents"
        return sum(self._transport.delete(f"{place}/{_quoted(one)}") for one in documents)

    def documents(self, collection: str | None = None) -> Iterator[Document]:
        """All documents of a collection, oldest first, without their texts."""
        for row in self._rows(f"{self._path(collection)}/documents", limit=500):
            yield results.document(row)

    def document(self, document: str, collection: str | None = None) -> Document:
        """One document with its text."""
        path = f"{self._path(collection)}/documents/{_quoted(document)}"
        return results.document(self._transport.get(path))

    def collections(self) -> list[Collection]:
        """All that may be seen, by name."""
        found = self._transport.get("/v1/collections")
        return [results.of(Collection, row) for row in found["data"]]

    def submit(
        self, questions: Questions, *, idempotency_key: str | None = None,
        timeout: float | None = None, **options: Unpack[Submitted],
    ) -> Job:  # fmt: skip
        """A job for many questions: texts, lines {"question", "custom_id"?, ...}, or the path of
        a file (JSONL, CSV, TSV, XLSX, text).

        Rejected names all bad lines at once (`details["lines"]`), unless skip_invalid. The same
        idempotency_key with the same questions is the same job.
        """
        from pilotfish.client.sources import asking

        asked = asking("/v1/jobs", questions, self._in(options))
        sent = self._transport.send(replace(asked, key=idempotency_key, timeout=timeout))
        return Job(self._transport, results.job_view(sent.json))

    def estimate(self, questions: Questions, **options: Unpack[Submitted]) -> Estimate:
        """What that job would cost at most; spends nothing."""
        from pilotfish.client.sources import asking

        sent = self._transport.send(asking("/v1/estimates", questions, self._in(options)))
        return results.of(Estimate, sent.json)

    def feedback(self, item: str, right: bool, answer: str | None = None) -> None:
        """Say whether an answer was right (`Result.item`), and what would have been."""
        job, _, ordinal = item.partition("/")
        path = f"/v1/jobs/{_quoted(job)}/items/{_quoted(ordinal or '0')}/feedback"
        self._transport.post(path, {"right": right, "answer": answer})

    def job(self, job_id: str) -> Job:
        """A job by its id."""
        found = self._transport.get(f"/v1/jobs/{_quoted(job_id)}")
        return Job(self._transport, results.job_view(found))

    def jobs(self, singles: bool = False) -> Iterator[Job]:
        """All jobs, newest first; `singles`: also those of `ask`."""
        for row in self._rows("/v1/jobs", limit=100, singles="true" if singles else None):
            yield Job(self._transport, results.job_view(row))

    def _rows(self, path: str, **params: Any) -> Iterator[Mapping[str, Any]]:
        """All rows of a list in pages."""
        after: str | None = None
        while True:
            found = self._transport.get(path, {**params, "after": after})
            yield from found["data"]
            after = found["next_cursor"]
            if not found["has_more"]:
                return

    def _in(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {**fields, "collection": fields.get("collection") or self.collection}

    def _path(self, collection: str | None) -> str:
        return f"/v1/collections/{_quoted(collection or self.collection)}"


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _answered(line: Mapping[str, Any]) -> Result:
    found = results.result(line)
    if found.error is None:
        return found
    error = Failed(f"the question failed: {found.error.message}", code=found.error.code)
    error.result = found
    raise error
