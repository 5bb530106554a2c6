"""One item of a job, from its id to its one terminal row.

Take it, answer it by the job's recipe, finish it; or put it back, or pause the whole job where
no other item could end better. Whatever goes wrong inside stays inside. Not here: recipes, and
the LLM (pipeline/llm.py keeps the ledger).
"""

from __future__ import annotations

import json
import logging
import random
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from pilotfish.errors import (
    BudgetExceeded,
    ModelError,
    PilotfishError,
    SettingsError,
    Unavailable,
)
from pilotfish.redact import redact
from pilotfish.settings import Settings
from pilotfish.types import Case, Event, Limits, Question, Receipt, Scope, Turn
from pipeline.outputs import failed_line, line_of
from pipeline.purse import Purse
from pipeline.questions import scoped
from store import documents, items, ledger, passages
from store.items import Taken
from workers import logs, telemetry_items
from workers.hands import AWAY_SECONDS, Hands
from workers.telemetry_spans import CALL

MOST_REFUSALS = 10  # HTTP 429 for one item: then it has failed
LARGEST = 8_000_000  # characters of a result
FULL_SECONDS = 5.0  # how long an item waits for a model whose rate is used up
WAIT = (1.0, 5.0)  # seconds before the second and the third attempt at an item
log = logging.getLogger("pilotfish.answer")


@dataclass(frozen=True, slots=True)
class Answering(Hands):
    """Does items of kind `answer`."""

    def guarded(self, taken: Taken) -> None:
        """No item may end the worker, whatever it raises: it is put back, and dies after three.

        Unavailable comes out of here: the database is away, so nothing can be written.
        """
        try:
            self._answer(taken)
        except Unavailable:  # nothing can be written: the pulse gives it back
            raise
        except BaseException as error:  # noqa: BLE001 the task's boundary; see the docstring
            name, (*_, place) = type(error).__name__, logs.places(error.__traceback__)
            log.error("item %d broke: %s at %s", taken.id, name, place)
            self._again(taken, "broken", redact(f"{name}: {error}"))

    def _answer(self, taken: Taken) -> None:
        started = time.perf_counter()
        try:
            case = self._asked(taken)
        except BudgetExceeded as error:
            self._failed(taken, error.code, str(error), started)
        except SettingsError as error:
            self.pause(taken, str(error))
        except Unavailable:  # the database was away for a moment: nobody's fault
            self.later(taken, AWAY_SECONDS)
        except ModelError as error:
            self._model_failed(taken, error, started)
        except PilotfishError as error:
            self._failed(taken, error.code, str(error), started)
        else:
            self._finish(taken, case, time.perf_counter() - started)

    def _asked(self, taken: Taken) -> Case:
        library = self.process.library(taken.collection)
        settings = settings_of(self.process.settings, taken.parameters)
        question, purse = question_of(taken), self._purse(taken)
        with telemetry_items.watched(self.process.telemetry, taken) as watch:
            case = watch.case = library.ask(question, taken.recipe, purse, settings)
        return case

    def _purse(self, taken: Taken) -> Purse:
        """What was found of the collection when the item was taken; asking finds it again."""
        database, place = self.process.database, (taken.collection, taken.collection_id)
        return Purse(database, *place, taken.id, taken.job_id, taken.key_id)

    def _finish(self, taken: Taken, case: Case, seconds: float) -> None:
        """Store the answer, unless a passage that it read was removed meanwhile: then again."""
        line = {"custom_id": taken.custom_id, **line_of(case, Receipt())}
        line["trace"] = trace_of(case, self.process.settings.service.keep_prompts)
        if len(json.dumps(line, default=str)) > LARGEST:
            text = f"the result is over {LARGEST:,} characters: ask for less, or lower max_tokens"
            self._again(taken, "too_large", text)
            return
        hinted = [one for hint in case.hints for one in hint.read]
        read = [*(passage.id for passage in case.passages), *hinted]
        with self.process.database.write(durable=False) as connection:
            if passages.missing(connection, read):
                items.put_back(connection, taken)
                return
            line["receipt"] = asdict(receipt(connection, taken.id, seconds))
            if items.finish(connection, taken, str(line["status"]), line, None):
                sources = {passage.document for passage in case.passages}
                documents.mention(connection, taken.collection_id, sources, "item", taken.id)
                documents.mention_passages(connection, hinted, "item", taken.id)

    def _failed(
        self, taken: Taken, code: str, message: str, started: float, state: str = "failed"
    ) -> None:
        line = failed_line(taken.custom_id, code, message)
        with self.process.database.write(lock=None, durable=False) as connection:
            seconds = time.perf_counter() - started
            line["receipt"] = asdict(receipt(connection, taken.id, seconds))
            items.finish(connection, taken, state, line, line["error"])

    def _model_failed(self, taken: Taken, error: ModelError, started: float) -> None:
        """Again where that may help; unknown where money may have been lost and is held."""
        if error.code == "rate_limited" and self._refused(taken) < MOST_REFUSALS:
            self.later(taken, (error.wait or FULL_SECONDS) * random.uniform(1.0, 1.5))
        elif error.code == "unknown_outcome":
            self._failed(taken, error.code, str(error), started, "unknown")
        elif (
            error.retryable
            and error.code != "rate_limited"
            and taken.attempts < items.MOST_ATTEMPTS
        ):
            self._again(taken, error.code, str(error))
        else:
            self._failed(taken, error.code, str(error), started)

    def _refused(self, taken: Taken) -> int:
        with self.process.database.read() as connection:
            return ledger.refusals(connection, taken.id)

    def _again(self, taken: Taken, code: str, message: str) -> None:
        """Put the item back; its third attempt was the last."""
        wait = WAIT[min(taken.attempts, len(WAIT)) - 1] * random.uniform(0.5, 1.5)
        with self.process.database.write(lock=None, durable=False) as connection:
            if taken.attempts < items.MOST_ATTEMPTS:
                items.put_back(connection, taken, wait)
                return
            line = failed_line(taken.custom_id, code, message)
            items.finish(connection, taken, "dead", line, line["error"])


def trace_of(case: Case, prompt: bool) -> list[dict[str, Any]]:
    """The trace as it is stored; `prompt`: LLM calls with the messages as they were sent.

    It goes when the answer goes: by retention, on request, with a document that it quotes.
    """
    events = [{name: getattr(event, name) for name in Event.__slots__} for event in case.trace]
    events = [event | {"detail": dict(event["detail"])} for event in events]
    if prompt and case.prompt is not None:
        messages = [asdict(message) for message in case.prompt.messages]
        for event in events:
            if CALL in event["detail"]:
                event["detail"]["prompt"] = messages
    return events


def question_of(taken: Taken) -> Question:
    """What is asked, within the job's scope and limits."""
    asked, given = taken.question, taken.parameters
    turns = tuple(Turn(turn["role"], turn["text"]) for turn in asked.get("turns", ()))
    scope = Scope(collection=taken.collection, where=asked.get("where") or given.get("where"))
    scope = scoped(scope, asked)
    limits = Limits(
        max_error=given.get("max_error"),
        effort=given.get("effort"),
        max_calls=int(given.get("max_calls", 1)),
        budget_usd=given.get("item_budget_usd"),
        deadline=given.get("deadline"),
    )
    return Question(str(asked["question"]), taken.custom_id, turns, scope, limits)


def settings_of(settings: Settings, parameters: dict[str, Any]) -> Settings:
    """The service's settings with what the job may choose for itself."""
    llm: dict[str, Any] = {}
    if parameters.get("model"):
        llm |= {"model": parameters["model"], "tiers": ()}
    for name in ("on_unknown", "on_budget"):
        if parameters.get(name):
            llm[name] = parameters[name]
    own = {key: parameters[key] for key in ("passages",) if parameters.get(key)}
    if llm:
        own["llm"] = settings.llm.model_copy(update=llm)
    return settings.model_copy(update=own) if own else settings


def receipt(connection: Any, item_id: int, seconds: float) -> Receipt:
    """What the ledger says of the item: also what its earlier attempts have paid."""
    calls, bill = ledger.spent(connection, item_id)
    tokens = (bill.prompt_tokens, bill.completion_tokens)
    return replace(Receipt(calls, *tokens, bill.cost_usd), seconds=round(seconds, 4))
