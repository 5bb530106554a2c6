"""Thousands of questions in this process, over the same tables as the service.

A job is found again by what it asks, of what, and how: run twice, it does only what is
missing. Items fail alone. Not here: reading and writing files (questions.py, outputs.py).
"""

from __future__ import annotations

import hashlib
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pilotfish.errors import BudgetExceeded, InputError, PilotfishError, SettingsError
from pilotfish.step import receipt
from pilotfish.types import Limits, Question, Scope
from pipeline.library import Library
from pipeline.outputs import failed_line, line_of
from pipeline.questions import Line
from store import documents, jobs, ledger
from store.database import locked
from store.jobs import Item

LEASE_SECONDS = 3600.0
log = logging.getLogger("pilotfish.batch")


@dataclass(frozen=True, slots=True)
class Batch:
    """How a batch is run. `done` hears each finished line."""

    library: Library
    recipe: str = "default"
    scope: Scope = Scope()
    limits: Limits = Limits()
    threads: int = 1
    done: Callable[[dict[str, object]], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)

    def __call__(self, lines: Sequence[Line]) -> list[dict[str, object]]:
        """One result a line, in order. Lines with a problem become failed results.

        Raises what stops a job (settings, credentials, budget) after finished items are
        stored; a second call then goes on where this one ended.
        """
        good = [line for line in lines if line.problem is None]
        job = self._submit(good) if good else ""
        with locked(self.library.workspace.root / "jobs" / f"{job[:16]}.lock", wait=False) as mine:
            if not mine:
                raise InputError("this very batch is running in another process: wait for it")
            if good:
                self._run(job)
        with self.library.database.read() as connection:
            rows = {str(row["custom_id"]): row for row in jobs.results(connection, job)}
        return [_line(line, rows) for line in lines if line.problem or _done(rows, line)]

    def _submit(self, lines: Sequence[Line]) -> str:
        collection = self.library.collection()
        parameters = self._parameters(collection.revision)
        asked = [(line.custom_id, {"question": line.question, **line.fields}) for line in lines]
        digest = json.dumps([collection.name, parameters, asked], sort_keys=True, default=str)
        job = hashlib.sha256(digest.encode()).hexdigest()
        with self.library.database.write() as connection:
            jobs.submit(connection, job, collection.id, parameters, asked)
            jobs.release(connection, job)
            jobs.retry_failed(connection, job)
        return job

    def _parameters(self, revision: int) -> dict[str, object]:
        """Everything an answer depends on beside the question."""
        settings = self.library.settings.model_dump(mode="json")
        kept = ("passages", "prompt_tokens", "abstain_below", "extract_above")
        llm = {k: v for k, v in settings["llm"].items() if k not in {"timeout", "attempts"}}
        chosen = {k: settings[k] for k in kept} | {"llm": llm}
        scope, limits = self.scope, self.limits
        return {"recipe": self.recipe, "revision": revision, "where": scope.where,
                "max_calls": limits.max_calls, "budget_usd": limits.budget_usd, **chosen}  # fmt: skip

    def _run(self, job: str) -> None:
        """Work off the pending items with a few threads; one error that stops a job stops all."""
        _ = self.library.parts, self.library.shelf.opened()  # loaded once, before threads start
        failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        workers = [
            threading.Thread(target=self._work, args=(job, failures), name=f"answer-{n}")
            for n in range(max(1, self.threads))
        ]
        for worker in workers:
            worker.start()
        self._wait(workers)
        with self.library.database.write() as connection:
            jobs.close(connection, job)
        if not failures.empty():
            raise failures.get()

    def _wait(self, workers: Sequence[threading.Thread]) -> None:
        for worker in workers:
            while worker.is_alive():
                try:
                    worker.join(0.2)
                except KeyboardInterrupt:
                    if self.stop.is_set():
                        raise
                    self.stop.set()  # the first Ctrl-C: finish what is in flight

    def _work(self, job: str, failures: queue.SimpleQueue[BaseException]) -> None:
        try:
            while not self.stop.is_set():
                with self.library.database.write() as connection:
                    claimed = jobs.claim(connection, job, ledger.owner(), 1, LEASE_SECONDS)
                if not claimed:
                    return
                self._item(claimed[0])
        except BaseException as error:
            failures.put(error)
            self.stop.set()
            if not isinstance(error, PilotfishError):
                raise

    def _item(self, item: Item) -> None:
        """Answer one item and store its result in one transaction."""
        started = time.perf_counter()
        try:
            case = self.library.ask(self._question(item), self.recipe, item.id)
        except (SettingsError, BudgetExceeded):
            raise
        except PilotfishError as error:
            seconds = time.perf_counter() - started
            line = failed_line(item.custom_id, error.code, str(error))
            line["receipt"] = _as_dict(receipt(error.trace, seconds))
            self._finish(item, "failed", line, [])
            return
        line = {"custom_id": item.custom_id}
        line |= line_of(case, receipt(case.trace, time.perf_counter() - started))
        sources = [passage.document for passage in case.passages]
        self._finish(item, str(line["status"]), line, sources)

    def _question(self, item: Item) -> Question:
        text = str(item.question["question"])
        return Question(text, item.custom_id, scope=self.scope, limits=self.limits)

    def _finish(
        self, item: Item, state: str, line: dict[str, object], sources: Sequence[str]
    ) -> None:
        with self.library.database.write() as connection:
            if jobs.finish(connection, item, state, line, line["error"]):
                collection = self.library.collection()
                documents.mention(connection, collection.id, set(sources), "item", item.id)
        self.done(line)


def _as_dict(paid: object) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(paid)  # type: ignore[call-overload, no-any-return]


def _done(rows: dict[str, dict[str, object]], line: Line) -> bool:
    return rows.get(line.custom_id, {}).get("state") in jobs.DONE


def _line(line: Line, rows: dict[str, dict[str, object]]) -> dict[str, object]:
    """The stored result of a line, with its question for spreadsheets."""
    if line.problem is not None:
        return failed_line(line.custom_id, "invalid_input", f"line {line.number}: {line.problem}")
    result = rows[line.custom_id]["result"]
    return {**(result if isinstance(result, dict) else {}), "question": line.question}
