"""Recorded rows: prompts, and what several systems answered to them, whether right, at what cost.

One JSON object a line: {"id", "prompt", "answers": [{"system", "text"?, "correct", "cost"}],
"group"?}. Rows of one group (a subject, a customer) stand in one fold when something is learned.
All bad lines are named at once. Not here: learning from rows, or deciding about them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pilotfish.errors import InputError
from pilotfish.files import read_text

_SHOWN = 20  # bad lines that a message names
_MEND = 'write {"id", "prompt", "answers": [{"system", "text", "correct", "cost"}]}'


@dataclass(frozen=True, slots=True)
class Tried:
    """What one system gave: text, correct (0 to 1) and cost (0 or more); None: not known."""

    system: str
    text: str | None = None
    correct: float | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """`number`: its line. `tried`: by system, in the order of the line."""

    number: int
    id: str
    prompt: str
    tried: Mapping[str, Tried] = field(default_factory=dict)
    group: str | None = None

    def text(self, system: str) -> str | None:
        """That system's answer; None when it is not known."""
        return self.tried[system].text if system in self.tried else None


def read_rows(path: Path) -> list[Row]:
    """The rows of a file; InputError names every bad line, NotFound a missing file."""
    return parse_rows(read_text(path), str(path))


def parse_rows(text: str, name: str) -> list[Row]:
    """The rows of a text of JSON lines; `name` stands in messages."""
    rows: list[Row] = []
    bad: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _row(number, line)
        except (ValueError, RecursionError) as error:
            bad.append(f"line {number}: {_reason(error)}")
            continue
        if row.id in seen:
            bad.append(f"line {number}: id {row.id[:80]!r} stands on line {seen[row.id]} already")
        seen.setdefault(row.id, number)
        rows.append(row)
    if bad or not rows:
        told = "; ".join(bad[:_SHOWN]) or "it holds no row"
        more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise InputError(f"{name}: {told}{more}: {_MEND}")
    return rows


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "half a character in it (a lone surrogate)"
    return (
        "not valid JSON" if isinstance(error, json.JSONDecodeError | RecursionError) else f"{error}"
    )


def _row(number: int, line: str) -> Row:
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")
    json.dumps(fields, ensure_ascii=False).encode()
    given = fields.get("id", number)
    if not isinstance(given, str | int) or isinstance(given, bool) or given == "":
        raise ValueError("id is neither text nor a whole number")
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("no field 'prompt' with text")
    answers = fields.get("answers")
    if answers is not None and not isinstance(answers, list):
        raise ValueError("answers is no list")
    group = fields.get("group")
    return Row(number, str(given), prompt, _tried(answers or []),
               None if group is None else str(group))  # fmt: skip


def _tried(answers: Sequence[object]) -> dict[str, Tried]:
    found: dict[str, Tried] = {}
    for given in answers:
        if not isinstance(given, dict):
            raise ValueError("an answer is no JSON object")
        system, text = given.get("system"), given.get("text")
        if not isinstance(system, str) or not system.strip():
            raise ValueError("an answer has no field 'system' with a name")
        if system in found:
            raise ValueError(f"system {system[:80]!r} answers twice")
        if text is not None and not isinstance(text, str):
            raise ValueError(f"text of {system[:80]!r} is no text")
        correct = _number(given, "correct", system, 1.0)
        found[system] = Tried(system, text, correct, _number(given, "cost", system, math.inf))
    return found


def _number(given: Mapping[str, object], name: str, system: str, most: float) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, bool | int | float) or not 0 <= value <= most or value == math.inf:
        span = "true, false or a number from 0 to 1" if most == 1 else "a number of 0 or more"
        raise ValueError(f"{name} of {system[:80]!r} is {str(value)[:40]!r}, not {span}")
    return float(value)
