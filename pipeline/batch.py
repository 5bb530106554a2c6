"""Thousands of questions in this process, over the same tables as the service.

A job is found again by what it asks, of what, and how: run twice, it does only what is
missing. Items fail alone. Not here: reading and writing files (questions.py, outputs.py).
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from pilotfish.errors import InputError, PilotfishError, SettingsError
from pilotfish.types import Limits, Passage, Question, Receipt, Scope
from pipeline.cards import OTHER
from pipeline.library import Library
from pipeline.outputs import failed_line, line_of
from pipeline.purse import Purse
from pipeline.questions import Line, scoped
from pipeline.recipes import recipe
from pipeline.reliance import judge_of, reliance
from store import collections, documents, jobs, ledger, passages, rates, tuned
from store.collections import Collection
from store.database import locked
from store.jobs import Item
from store.where import compile_where
from verifiers.calibration import to_json

LEASE_SECONDS = 3600.0
MOST_ATTEMPTS = 3  # claims after which an answer to changed documents is not tried again
Asked = tuple[str, dict[str, object]]  # custom_id, and the line's fields with its question
log = logging.getLogger("pilotfish.batch")


@dataclass(frozen=True, slots=True)
class Batch:
    """How a batch is run. `begun` hears how many items there are to do, `done` each line.

    Setting `stop` ends it when what is in flight is finished.
    """

    library: Library
    recipe: str = "default"
    scope: Scope = field(default_factory=Scope)
    limits: Limits = field(default_factory=Limits)
    threads: int = 1
    begun: Callable[[int], None] = lambda _: None
    done: Callable[[dict[str, object]], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)

    def __call__(self, lines: Sequence[Line]) -> list[dict[str, object]]:
        """One result a line, in order. Lines with a problem become failed results.

        Raises what stops a job (settings, credentials) after finished items are stored; a
        second call then goes on where this one ended.
        """
        check(self.library, self.recipe, self.scope)
        good = [line for line in lines if line.problem is None]
        asked = [(line.custom_id, {"question": line.question, **line.fields}) for line in good]
        collection = self.library.collection()
        parameters = self._parameters(collection)
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
        return [_line(line, rows, job) for line in lines if line.problem or _done(rows, line)]

    def _submit(
        self, job: str, collection_id: int, parameters: dict[str, object], asked: Sequence[Asked]
    ) -> None:
        """Write the job, or make what a stopped run left of it pending again. Needs the lock."""
        with self.library.database.write() as connection:
            jobs.submit(connection, job, collection_id, parameters, asked)
            jobs.release(connection, job)
            rates.forgive(connection)  # whoever starts it again has looked at the provider
            jobs.retry_failed(connection, job)
            waiting = jobs.progress(connection, job).get("pending", 0)
        self.begun(waiting)

    def _parameters(self, collection: Collection) -> dict[str, object]:
        """Everything an answer depends on beside the question."""
        settings = self.library.settings.model_dump(mode="json")
        kept = (
            "passages",
            "prompt_tokens",
            "abstain_below",
            "extract_above",
            "spotlight",
            "checks",
            "rewrite",
        )
        llm = {k: v for k, v in settings["llm"].items() if k not in {"timeout", "attempts"}}
        chosen = {k: settings[k] for k in kept} | {"llm": llm}
        source = {"revision": collection.revision, "encoder": collection.encoder}
        asked = {"recipe": self.recipe, "where": self.scope.where}
        asked["judge"] = judge_of(self.library.parts)
        limits = {k: getattr(self.limits, k) for k in ("max_calls", "budget_usd", "deadline")}
        more = self._relied() | self._routing() | self._fitted()
        return asked | source | limits | chosen | more

    def _relied(self) -> dict[str, object]:
        """What support rests on, where that is not the shipped calibration, and the promise."""
        parts, promised = self.library.parts, self.limits.max_error
        found = reliance(parts, self.recipe, promised)
        relied: dict[str, object] = {"max_error": promised} if promised is not None else {}
        if found.here and found.calibration is not None:
            body = to_json(found.calibration)
            relied["calibration"] = hashlib.sha256(body.encode()).hexdigest()
        return relied

    def _routing(self) -> dict[str, object]:
        """Effort and the policy's content, where they are set."""
        policy, effort = self.library.settings.policy, self.limits.effort
        found: dict[str, object] = {} if effort is None else {"effort": effort}
        if policy is not None and policy.is_file():
            found["policy"] = hashlib.sha256(policy.read_bytes()).hexdigest()
        return found

    def _fitted(self) -> dict[str, object]:
        """When each helper was fitted to the collection, and the settings that name helpers."""
        settings = self.library.settings
        beside = {card.removeprefix(OTHER) for card in settings.cards if card.startswith(OTHER)}
        with self.library.database.read() as connection:
            name = self.library.collection().name
            found = {one.name: one.created for one in tuned.every(connection)
                     if one.collection == name}  # fmt: skip
            known = beside & set(collections.names(connection))
            found |= {OTHER + one: collections.find(connection, one).revision for one in known}
        names = ("classifier", "explain_override", "decomposer", "demos", "cards",
                 "cards_when", "rationale")  # fmt: skip
        named = {key: getattr(settings, key) for key in names}
        changed = {
            k: value
            for k, value in named.items()
            if value not in (None, False, (), "pilot", "always")
        }
        return changed | ({"fitted": found} if found else {})

    def _run(self, job: str) -> None:
        """Work off the pending items in threads; an error that stops a job stops all."""
        _ = self.library.parts, self.library.shelf.opened()  # loaded once, before threads start
        failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        work = functools.partial(self._work, job, failures, threading.Event())
        workers = [
            threading.Thread(target=work, name=f"answer-{n}", daemon=True)
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

    def _work(
        self, job: str, failures: queue.SimpleQueue[BaseException], halt: threading.Event
    ) -> None:
        """Claim and answer until nothing is left, the caller says stop, or a worker fails."""
        try:
            while not (self.stop.is_set() or halt.is_set()):
                with self.library.database.write() as connection:
                    claimed = jobs.claim(connection, job, ledger.owner(), 1, LEASE_SECONDS)
                if not claimed:
                    return
                self._item(claimed[0])
        except BaseException as error:  # noqa: BLE001 raised again by _run, in its own thread
            failures.put(error)
            halt.set()

    def _item(self, item: Item) -> None:
        """Answer one item and store its result; it fails alone, also over its own limits."""
        started = time.perf_counter()
        read: tuple[Passage, ...] = ()
        hinted: tuple[int, ...] = ()
        try:
            purse = self.library.purse(item.id)
            case = self.library.ask(self._question(item), self.recipe, purse)
            read, hinted = case.passages, tuple(i for hint in case.hints for i in hint.read)
            line = {"custom_id": item.custom_id, **line_of(case, Receipt())}
        except SettingsError:
            raise
        except PilotfishError as error:
            line = failed_line(item.custom_id, error.code, str(error))
        line["receipt"] = asdict(self._receipt(item, time.perf_counter() - started))
        self._finish(item, line, read, hinted)

    def _receipt(self, item: Item, seconds: float) -> Receipt:
        """What the ledger says of the item: also what an interrupted run of it has paid."""
        with self.library.database.read() as connection:
            calls, bill = ledger.spent(connection, item.id)
        tokens = (bill.prompt_tokens, bill.completion_tokens)
        return Receipt(calls, *tokens, bill.cost_usd, round(seconds, 4))

    def _question(self, item: Item) -> Question:
        text, scope = str(item.question["question"]), scoped(self.scope, item.question)
        return Question(text, item.custom_id, scope=scope, limits=self.limits)

    def _finish(
        self, item: Item, line: dict[str, object], read: Sequence[Passage], hinted: Sequence[int]
    ) -> None:
        """Store the result; answer anew what read passages that are gone by now.

        Checked within the transaction that stores it: a document that is removed afterwards
        finds the mention, and takes the answer with it.
        """
        with self.library.database.write() as connection:
            gone = passages.missing(connection, [*(passage.id for passage in read), *hinted])
            if gone and item.attempts < MOST_ATTEMPTS:
                jobs.put_back(connection, item)
                return
            if gone:
                line, read, hinted = _outrun(item, line), (), ()
            kept = jobs.finish(connection, item, str(line["status"]), line, line["error"])
            if kept and read:
                keys = {passage.document for passage in read}
                here = collections.find(connection, self.library.settings.collection)
                documents.mention(connection, here.id, keys, "item", item.id)
            if kept:
                documents.mention_passages(connection, hinted, "item", item.id)
        self.done(line)


def check(library: Library, recipe_name: str, scope: Scope) -> None:
    """InputError for a recipe or a filter with which no question could be asked."""
    if scope.where:
        compile_where(scope.where)
    recipe(recipe_name)(library.parts, Purse(library.database, "", 0))


def _outrun(item: Item, line: dict[str, object]) -> dict[str, object]:
    """The failed line of an answer whose documents changed each time before it was stored."""
    text = f"its documents changed during {item.attempts} attempts: run it again when they rest"
    failed = failed_line(item.custom_id, "documents_changed", text)
    return failed | {"receipt": line["receipt"]}


def _done(rows: dict[str, dict[str, object]], line: Line) -> bool:
    return rows.get(line.custom_id, {}).get("state") in jobs.DONE


def _line(line: Line, rows: dict[str, dict[str, object]], job: str) -> dict[str, object]:
    """The stored result of a line, with its question for spreadsheets and its name for labels."""
    if line.problem is not None:
        return failed_line(line.custom_id, "invalid_input", f"line {line.number}: {line.problem}")
    row = rows[line.custom_id]
    result = row["result"] if isinstance(row["result"], dict) else {}
    return {**result, "question": line.question, "item": f"{job[:16]}/{row['ordinal']}"}
