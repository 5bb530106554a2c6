"""One line of answers, one line of right answers, in whatever shape they were written.

Answers: what `pilotfish batch`, the service, its OpenAI batches or `ask --json` give, or plain
{"id", "answer"}. Right answers: {"id", "answers" | "answer" | "gold"}, or `unanswerable: true`.
Raises ValueError in words that say what is wrong with the line. Not here: files (files.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation: what is quoted, under which headings, and the sentence it is for.

    `sentence` is (start, end) in the answer, None: the answer as a whole.
    """

    document: str
    quote: str
    heading: str = ""
    sentence: tuple[int, int] | None = None

    @property
    def evidence(self) -> str:
        """What is judged: the quote below its headings, which say what it is about."""
        return "\n\n".join(part for part in (self.heading, self.quote) if part)


@dataclass(frozen=True, slots=True)
class Reply:
    """What was said. `text` is what was answered or, when `answered` is False, the candidate that
    was held back; `short` is the value alone where the answer names one. Money is None, never 0,
    where it is not known.
    """

    id: str
    answered: bool
    text: str = ""
    short: str = ""
    support: float | None = None
    citations: tuple[Cited, ...] = ()
    failure: str | None = None
    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None
    question: str = ""


@dataclass(frozen=True, slots=True)
class Gold:
    """The right answers, any of which will do; none: the question has no answer."""

    id: str
    answers: tuple[str, ...] = ()
    question: str = ""


def identity(fields: Mapping[str, Any], number: int) -> str:
    """The line's id: `custom_id`, else `id`, else the id of the question within."""
    question = fields.get("question")
    inner = question.get("id") if isinstance(question, Mapping) else None
    given = (fields.get("custom_id"), fields.get("id"), inner)
    found = next((one for one in given if one not in (None, "")), number)
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise ValueError("id is neither text nor a whole number")
    return str(found)


def reply_of(fields: Mapping[str, Any], number: int) -> Reply:
    """A line of ANSWERS."""
    name = identity(fields, number)
    line = _unwrapped(fields)
    said = line.get("answer", line.get("prediction"))
    inner = said if isinstance(said, Mapping) else {}
    support = _probability(line.get("support", inner.get("support")))
    failure = _failure(line)
    shown = None if inner.get("abstained") else inner.get("text") if inner else said
    if shown is not None and not isinstance(shown, str | int | float):
        raise ValueError("answer is not text")
    text = _word(shown) if shown is not None else ""
    answered = bool(text.strip()) and failure is None and line.get("status") != "abstained"
    held = text or str(inner.get("text") or line.get("candidate") or "")
    values = line.get("values") or inner.get("values") or ()
    return Reply(
        name, answered, text if answered else held, _first(values), support,
        _citations(line, inner), failure, *_paid(line), question=_question(line, fields),
    )  # fmt: skip


def gold_of(fields: Mapping[str, Any], number: int) -> Gold:
    """A line of GOLD. ValueError where it says neither what is right nor that nothing is."""
    name = identity(fields, number)
    known = [fields[key] for key in ("answers", "answer", "gold") if key in fields]
    answers = _texts(known[0]) if known else ()
    nothing = fields.get("unanswerable") is True or fields.get("is_impossible") is True
    if not known and not nothing:
        raise ValueError("no answers, answer or gold, and not unanswerable")
    if known and known[0] is None:
        raise ValueError("the right answer is null: give it, or unanswerable: true")
    return Gold(name, () if nothing else answers, _question(fields, fields))


def _unwrapped(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our line out of an OpenAI batch line or a chat completion; the message where none is."""
    response = fields.get("response")
    body = response.get("body") if isinstance(response, Mapping) else fields
    if not isinstance(body, Mapping) or "choices" not in body:
        return fields
    if isinstance(body.get("pilotfish"), Mapping):
        return dict(body["pilotfish"])
    try:
        return {"answer": body["choices"][0]["message"]["content"], "error": fields.get("error")}
    except (LookupError, TypeError):
        raise ValueError("a completion without a message") from None


def _failure(line: Mapping[str, Any]) -> str | None:
    error = line.get("error")
    if isinstance(error, Mapping):
        return str(error.get("code") or error.get("type") or "failed")
    return str(error or "failed") if error or line.get("status") == "failed" else None


def _citations(line: Mapping[str, Any], inner: Mapping[str, Any]) -> tuple[Cited, ...]:
    found = line.get("citations") or inner.get("citations") or []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise ValueError("citations is no list of objects")
    return tuple(_cited(one) for one in found)


def _cited(one: Mapping[str, Any]) -> Cited:
    source: Mapping[str, Any] = one["source"] if isinstance(one.get("source"), Mapping) else one
    place: Mapping[str, Any] = source
    if isinstance(source.get("place"), Mapping):
        place = source["place"]
    heading = " › ".join(str(part) for part in place.get("heading") or ())
    sentence = one.get("sentence")
    span = None
    if isinstance(sentence, list | tuple) and len(sentence) == 2:
        span = (int(sentence[0]), int(sentence[1]))
    return Cited(str(source.get("document", "")), _quote(source), heading, span)


def _quote(source: Mapping[str, Any]) -> str:
    """A span's quote; cells as `Header: value; ...`, a row a line; a triple as it reads."""
    if "quote" in source:
        return str(source["quote"])
    if "values" in source:
        names = [str(name) for name in source.get("columns") or ()]
        rows = [zip(names, row, strict=False) for row in source["values"]]
        return "\n".join("; ".join(f"{name}: {cell}" for name, cell in row) for row in rows)
    return " ".join(str(source[key]) for key in ("subject", "relation", "object") if key in source)


def _paid(line: Mapping[str, Any]) -> tuple[int | None, int | None, float | None, float | None]:
    """LLM calls, tokens, dollars, seconds of the receipt."""
    paid = line.get("receipt")
    if not isinstance(paid, Mapping):
        return None, None, None, None
    calls, cost, seconds = (_amount(paid, key) for key in ("llm_calls", "cost_usd", "seconds"))
    used = [_amount(paid, key) for key in ("prompt_tokens", "completion_tokens")]
    tokens = None if None in used else int(sum(one or 0 for one in used))
    return None if calls is None else int(calls), tokens, cost, seconds


def _amount(paid: Mapping[str, Any], key: str) -> float | None:
    value = paid.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"{key} {value!r} is no amount")
    return float(value)


def _probability(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"support {value!r} is no probability")
    return float(value)


def _question(line: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    found = line.get("question") or fields.get("question") or ""
    return str(found.get("text", "")) if isinstance(found, Mapping) else str(found)


def _first(values: object) -> str:
    return str(values[0]) if isinstance(values, list | tuple) and values else ""


def _texts(value: object) -> tuple[str, ...]:
    """The answers, without empty ones and twins."""
    if isinstance(value, Mapping):  # as SQuAD's rows are stored: {"text": [...]}
        value = value.get("text")
    many = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(one, Mapping | list | tuple) for one in many):
        raise ValueError("answers are not texts")
    texts = [_word(one) for one in many if one is not None]
    return tuple(dict.fromkeys(text for text in texts if text.strip()))


def _word(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
