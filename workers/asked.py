"""Who asks, and how a job or a question is to be done: plain values, checked before anything.

Not here: the HTTP forms they come from (forms.py), and doing it (jobs.py).
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pilotfish.errors import InputError
from pilotfish.settings import Settings
from pipeline.outputs import failed_line
from pipeline.questions import SCOPES, Line
from pipeline.recipes import recipe
from store.where import compile_where
from workers.addresses import check_url

INDEX = "index"  # the recipe column of index jobs
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SHOWN = 100  # bad lines that a message names
_TURN = {"user", "assistant"}


@dataclass(frozen=True, slots=True)
class Who:
    """Whose request it is. `tenant` "" sees what was made locally; `admin` may read metrics."""

    tenant: str = ""
    key_id: str | None = None
    admin: bool = False


LOCAL = Who(admin=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """How to do it. `parameters`: model, where, passages, max_calls, max_error, item_budget_usd,
    deadline, on_unknown, on_budget; those left out are the settings'. `body_sha256` is what must
    be equal when `idempotency_key` comes again.
    """

    collection: str | None = None
    recipe: str = "default"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    budget_usd: float | None = None
    budget_tokens: int | None = None
    webhook_url: str | None = None
    name: str | None = None
    skip_invalid: bool = False
    idempotency_key: str | None = None
    body_sha256: str | None = None


class InvalidLines(InputError):
    """Some lines cannot be asked; nothing was accepted. `problems`: (line number, what)."""

    code = "invalid_lines"

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        self.problems = list(problems)
        named = "; ".join(f"line {number}: {what}" for number, what in self.problems[:_SHOWN])
        more = len(self.problems) - _SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        mend = "mend them, or send skip_invalid=true"
        super().__init__(f"{len(self.problems)} bad lines ({named}{rest}): {mend}")


class WrongState(InputError):
    """What is asked for does not fit the job's state."""

    code = "wrong_state"


def check(settings: Settings, who: Who, asked: Asked) -> None:
    """InputError when the job could not be done as it is asked."""
    if asked.recipe != INDEX:
        recipe(asked.recipe)
    if asked.parameters.get("where"):
        compile_where(str(asked.parameters["where"]))
    model, models = asked.parameters.get("model"), settings.llm.models
    if model is not None and model not in models and not who.admin:
        known = ", ".join(models) or "none is configured"
        raise InputError(f"model {model!r} is not offered here: choose one of these ({known})")
    key = asked.idempotency_key
    if key is not None and not _KEY.fullmatch(key):
        raise InputError("Idempotency-Key: send 1 to 255 printable ASCII characters")
    if asked.webhook_url is not None:
        check_url(asked.webhook_url)


def accepted(lines: Sequence[Line], skip_invalid: bool, limit: int) -> list[Line]:
    """All lines, those that cannot be asked with a `problem` and an id of their own.

    InvalidLines names every bad one, unless they may be skipped. limit: characters of a question.
    """
    checked = [_checked(line, limit) for line in lines]
    bad = [(line.number, line.problem) for line in checked if line.problem]
    if bad and not skip_invalid:
        raise InvalidLines(bad)
    taken = {line.custom_id for line in checked if not line.problem}
    return [_renamed(line, taken) if line.problem else line for line in checked]


def _checked(line: Line, limit: int) -> Line:
    if line.problem:
        return line
    problem = None
    if not line.question.strip():
        problem = "the question is empty"
    elif len(line.question) > limit:
        problem = f"the question has {len(line.question):,} characters, over the limit of {limit:,}"
    elif "\0" in line.question + line.custom_id:
        problem = "a NUL character in it"
    elif len(line.custom_id) > 512:
        problem = "custom_id has over 512 characters"
    kept = {k: line.fields[k] for k in ("where", "turns", *SCOPES) if line.fields.get(k)}
    return replace(line, fields=kept, problem=problem or _bad_fields(kept))


def _bad_fields(fields: Mapping[str, Any]) -> str | None:
    where, turns = fields.get("where"), fields.get("turns", [])
    if where is not None and (not isinstance(where, str) or "\0" in where):
        return "where is no text, or holds a NUL character"
    if where is not None:
        try:
            compile_where(where)
        except InputError as error:
            return str(error)
    if not isinstance(turns, list) or not all(_is_turn(turn) for turn in turns):
        return "turns is no list of {role: user or assistant, text}"
    return None


def _is_turn(turn: object) -> bool:
    if not isinstance(turn, dict) or turn.get("role") not in _TURN:
        return False
    return isinstance(turn.get("text"), str) and "\0" not in turn["text"]


def _renamed(line: Line, taken: set[str]) -> Line:
    """The bad line under an id that no other line of the job has."""
    name = line.custom_id.replace("\0", "")[:512]
    while name in taken:
        name = f"{name}#{line.number}"
    taken.add(name)
    return replace(line, custom_id=name)


def refused(lines: Sequence[Line]) -> dict[int, dict[str, object]]:
    """ordinal -> the failed line of each line that has a problem."""
    return {
        ordinal: failed_line(line.custom_id, "invalid_line", line.problem)
        for ordinal, line in enumerate(lines)
        if line.problem
    }


def webhook_of(asked: Asked) -> dict[str, str] | None:
    """Where to tell of the job's end, and the secret that signs it (Standard Webhooks)."""
    if asked.webhook_url is None:
        return None
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    return {"url": asked.webhook_url, "secret": secret}
