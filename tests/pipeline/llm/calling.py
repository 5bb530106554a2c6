"""An LLM at a server that misbehaves on cue, its database, and what the tests ask it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pilotfish.errors import PilotfishError
from pilotfish.step import run
from pilotfish.types import Case, Event, Limits, Message, Passage, Prompt, Question
from pipeline.llm import LLM, CallOptions
from pipeline.purse import Purse
from store import ledger, schema
from store.database import Database
from tests.llm_server import LLMServer

MODEL = "openai/test-model"
PRICED = "openai/gpt-4o-mini"  # 0.15, cached 0.075, output 0.6 USD per million
COST = (100 * 0.15 + 20 * 0.6) / 1e6
CANARY = "sk-canary-0123456789abcdef"
ROOT = Path(__file__).parents[3]


class Caller:
    """An LLM at the server, its database, and the waits that it asked for."""

    def __init__(self, server: LLMServer, database: Database) -> None:
        self.server, self.database = server, database
        self.waits: list[float] = []

    def doze(self, seconds: float) -> None:
        """Note the wait, and be past it."""
        self.waits.append(seconds)
        with self.database.write() as connection:
            connection.execute(schema.rates.update().values(blocked_until=None))

    def llm(self, model: str = MODEL, item: int | None = 7, **options: Any) -> LLM:
        options = {"api_base": self.server.url, "timeout": 10.0, **options}
        purse = Purse(self.database, "default", 1, item)
        return LLM(model, purse, CallOptions(**options), sleep=self.doze)

    def fail(self, *modes: str, case: Case | None = None, **options: Any) -> PilotfishError:
        self.server.script(*modes)
        with pytest.raises(PilotfishError) as caught:
            run(self.llm(**options), case or ask())
        return caught.value

    def rows(self) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(select(schema.ledger).order_by(schema.ledger.c.id)))

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def spent(self) -> ledger.Bill:
        return self.receipt()[1]

    def receipt(self) -> tuple[int, ledger.Bill]:
        """What the ledger says of the item."""
        with self.database.read() as connection:
            return ledger.spent(connection, 7)


def ask(text: str = "How long?", trace: tuple[Event, ...] = (), **limits: Any) -> Case:
    messages = (Message("system", "Cite keys."), Message("user", f"[k7f2] 30 days. {text}"))
    prompt = Prompt(messages, {"k7f2": 1})
    passages = (Passage(1, "30 days.", "returns.md", 0, 8),)
    return Case(Question(text, limits=Limits(**limits)), passages, prompt=prompt, trace=trace)


def money(trace: tuple[Event, ...]) -> Event:
    return next(event for event in trace if "ledger_row" in event.detail)


def code(error: PilotfishError) -> str:
    return error.code
