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
from dataclasses import asdict, dataclass, field

from pilotfish.errors import BudgetExceeded, InputError, PilotfishError, SettingsError
from pilotfish.types import Limits, Question, Receipt, Scope
from pipeline.library import Library
from pipeline.outputs import failed_line, line_of
from pipeline.questions import Line
from store import documents, jobs, ledger
from store.database import locked
from store.jobs import Item

LEASE_SECONDS = 3600.0
Asked = tuple[str, dict[str, object]]  # custom_id, and the line's fields with its question
log = logging.getLogger("pilotfish.batch")


@dataclass(frozen=True, slots=True)
class Batch:
    """How a batch is run. `done` hears each finished line."""

    library: Library
    recipe: str = "default"
    scope: Scope = field(default_factory=Scope)
    limits: Limits = field(default_factory=Limits)
    threads: int = 1
    done: Callable[[dict[str, object]], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)

    def __call__(self, lines: Sequence[Line]) -> list[dict[str, object]]:
        """One result a line, in order. Lines with a problem become failed results.

        Raises what stops a job (settings, credentials, budget) after finished items are
        stored; a second call then goes on where this one ended.
        """
        good = [line for line in lines if line.problem is None]
        asked = [(line.custom_id, {"question": line.question, **line.fields}) for line in good]
        collection = self.library.collection()
        parameters = self._parameters(collection.revision)
        digest = json.dumps([collection.name, parameters, asked], sort_keys=True, default=str)
        job = hashlib.sha256(digest.encode()).hexdigest()
        with locked(self.library.workspace.root / "jobs" / f"{job[:16]}.lock", wait=False) as mine:
            if not mine:
                raise InputError("this very batch is running in another process: wait for it")
            if good:
                self._submit(job, collection.id, parameters, asked)
                self._run(job)
        with self.library.database.read() as connection:
            rows = {str(row["custom_id"]): row for row in jobs.results(connection, job)}
        return [_line(line, rows) for line in lines if line.problem or _done(rows, line)]

    def _submit(
        self, job: str, collection_id: int, parameters: dict[str, object], asked: Sequence[Asked]
    ) -> None:
        """Write the job, or make what a stopped run left of it pending again. Needs the lock."""
        with self.library.database.write() as connection:
            jobs.submit(connection, job, collection_id, parameters, asked)
            jobs.release(connection, job)
            jobs.retry_failed(connection, job)

    def _parameters(self, revision: int) -> dict[str, object]:
        """Everything an answer depends on beside the question."""
        settings = self.library.settings.model_dump(mode="json")
        kept = ("passages", "prompt_tokens", "abstain_below", "extract_above")
        llm = {k: v for k, v in settings["llm"].items() if k not in {"timeout", "attempts"}}
        chosen = {k: settings[k] for k in kept} | {"llm": llm}
        scope, limits = self.scope, self.limits
        asked = {"recipe": self.recipe, "revision": revision, "where": scope.where}
        return asked | {"max_calls": limits.max_calls, "budget_usd": limits.budget_usd} | chosen

    def _run(self, job: str) -> None:
        """Work off the pending items in threads; an error that stops a job stops all."""
        _ = self.library.parts, self.library.shelf.opened()  # loaded once, before threads start
        failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        workers = [
            threading.Thread(
                target=self._work, args=(job, failures), name=f"answer-{n}", daemon=True
            )
            for n in range(max(1, self.threads))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        with self.library.database.write() as connection:
            jobs.close(connection, job)
        if not failures.empty():
            raise failures.get()

    def _work(self, job: str, failures: queue.SimpleQueue[BaseException]) -> None:
        try:
            while not self.stop.is_set():
                with self.library.database.write() as connection:
                    claimed = jobs.claim(connection, job, ledger.owner(), 1, LEASE_SECONDS)
                if not claimed:
                    return
                self._item(claimed[0])
        except BaseException as error:  # noqa: BLE001 raised again by _run, in its own thread
            failures.put(error)
            self.stop.set()

    def _item(self, item: Item) -> None:
        """Answer one item and store its result in one transaction."""
        started = time.perf_counter()
        sources: set[str] = set()
        try:
            case = self.library.ask(self._question(item), self.recipe, item.id)
            sources = {passage.document for passage in case.passages}
            line = {"custom_id": item.custom_id, **line_of(case, Receipt())}
        except (SettingsError, BudgetExceeded):
            raise
        except PilotfishError as error:
            line = failed_line(item.custom_id, error.code, str(error))
        line["receipt"] = asdict(self._receipt(item, time.perf_counter() - started))
        self._finish(item, str(line["status"]), line, sources)

    def _receipt(self, item: Item, seconds: float) -> Receipt:
        """What the ledger says of the item: also what an interrupted run of it has paid."""
        with self.library.database.read() as connection:
            calls, bill = ledger.spent(connection, item.id)
        tokens = (bill.prompt_tokens, bill.completion_tokens)
        return Receipt(calls, *tokens, bill.cost_usd, round(seconds, 4))

    def _question(self, item: Item) -> Question:
        text = str(item.question["question"])
        return Question(text, item.custom_id, scope=self.scope, limits=self.limits)

    def _finish(self, item: Item, state: str, line: dict[str, object], sources: set[str]) -> None:
        with self.library.database.write() as connection:
            if jobs.finish(connection, item, state, line, line["error"]):
                collection = self.library.collection()
                documents.mention(connection, collection.id, sources, "item", item.id)
        self.done(line)


def _done(rows: dict[str, dict[str, object]], line: Line) -> bool:
    return rows.get(line.custom_id, {}).get("state") in jobs.DONE


def _line(line: Line, rows: dict[str, dict[str, object]]) -> dict[str, object]:
    """The stored result of a line, with its question for spreadsheets."""
    if line.problem is not None:
        return failed_line(line.custom_id, "invalid_input", f"line {line.number}: {line.problem}")
    result = rows[line.custom_id]["result"]
    return {**(result if isinstance(result, dict) else {}), "question": line.question}
