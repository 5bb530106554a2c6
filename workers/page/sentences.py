"""An answer as the page shows it: sentences with their verdicts, sources, and a trace's waterfall.

Plain values out of one result line. Not here: judging (verifiers/), reading (answers.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilotfish.text import sentences

SURE = 0.8  # a cited sentence below this is shown as weaker
_SLACK = 0.002  # seconds: starts and lengths come from two clocks
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence. `cited`: numbers of its sources, or of what denies it, from 1.

    `verdict`: supported, weak, contradicted, none; mark: no sentence, only what stands between.
    """

    text: str
    before: str  # white space in front of it
    cited: tuple[int, ...]
    verdict: str
    support: float | None


def sentences_of(line: Line) -> list[Sentence]:
    """The answer's sentences in order, those that nothing carries among them."""
    text = str(line["answer"] or "")
    spans: dict[tuple[int, int], list[int]] = {}
    for number, one in enumerate(line.get("citations") or [], start=1):
        start, end = one["sentence"]
        spans.setdefault((start, end), []).append(number)
    denied = denials(line)
    found, at = [], 0
    for start, end in sorted(spans):
        found += _uncited(text, (at, start), denied)
        found.append(_cited(line, text, (at, start, end), spans[start, end]))
        at = end
    return found + _uncited(text, (at, len(text)), denied)


def sources_of(line: Line) -> list[Line]:
    """What the source pane can show, in the order of its numbers.

    The citations, then what denies a sentence, then for an abstention the nearest evidence.
    """
    denying = [flaw["evidence"] for flaw in _denied(line)]
    return [*(line.get("citations") or []), *denying, *(line.get("nearest") or [])]


def denials(line: Line) -> dict[tuple[int, int], int]:
    """Where the answer is contradicted -> the number of the source that says otherwise."""
    first = len(line.get("citations") or []) + 1
    return {(flaw["start"], flaw["end"]): n for n, flaw in enumerate(_denied(line), start=first)}


def _denied(line: Line) -> list[Line]:
    return [flaw for flaw in line.get("flaws") or [] if flaw.get("evidence")]


def _cited(line: Line, text: str, place: tuple[int, int, int], numbers: list[int]) -> Sentence:
    at, start, end = place
    gap = text[at:start]
    known = [line["citations"][n - 1].get("support") for n in numbers]
    support = max((one for one in known if one is not None), default=None)
    verdict = "supported" if support is not None and support >= SURE else "weak"
    return Sentence(text[start:end], "" if gap.strip() else gap, tuple(numbers), verdict, support)


def _uncited(
    text: str, stretch: tuple[int, int], denied: Mapping[tuple[int, int], int]
) -> list[Sentence]:
    """Sentences between cited ones; a lone full stop or bracket is none."""
    start, end = stretch
    found, at = [], start
    for a, b in sentences(text[start:end]):
        piece = text[start + a : start + b]
        gap = text[at : start + a]
        worded = any(letter.isalnum() for letter in piece)
        by = [n for (c, d), n in denied.items() if c < start + b and start + a < d and worded]
        verdict = "contradicted" if by else "none" if worded else "mark"
        found.append(Sentence(piece, gap, tuple(by), verdict, None))
        at = start + b
    return found


def place_of(one: Line) -> str:
    """Where a citation stands, in words."""
    parts = [f"page {one['page']}"] if one.get("page") else []
    if one.get("table"):
        rows = ", ".join(str(row) for row in one.get("rows") or [])
        parts.append(f"table {one['table']}, row {rows}" if rows else f"table {one['table']}")
    elif one.get("heading"):
        parts.append(" › ".join(one["heading"]))
    return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class Bar:
    """A step of the trace. `left`, `width`: thousandths of the whole; `detail`: (name, text)."""

    event: Line
    depth: int
    left: float
    width: float
    detail: list[tuple[str, str]]
    prompt: list[tuple[str, str]]  # (role, text), where the trace has it


def waterfall(trace: Sequence[Line]) -> list[Bar]:
    """The steps in the order in which they began, each under the one that called it."""
    events = sorted(trace, key=lambda event: (event["started"], -event["seconds"]))
    if not events:
        return []
    begun = events[0]["started"]
    whole = max(max(_end(event) for event in events) - begun, 1e-6)
    return list(_bars(_nested(events), begun, whole))


def _end(event: Line) -> float:
    return float(event["started"] + event["seconds"])


def _nested(events: Sequence[Line]) -> Iterator[tuple[Line, int]]:
    above: list[Line] = []
    for event in events:
        while above and not _holds(above[-1], event):
            above.pop()
        yield event, len(above)
        above.append(event)


def _holds(outer: Line, inner: Line) -> bool:
    if not inner["started"] < _end(outer):
        return False
    return _end(inner) <= _end(outer) + _SLACK and bool(inner["seconds"] <= outer["seconds"])


def _bars(nested: Iterator[tuple[Line, int]], begun: float, whole: float) -> Iterator[Bar]:
    for event, depth in nested:
        left = min(round((event["started"] - begun) / whole * 1000, 1), 998.0)
        width = max(round(event["seconds"] / whole * 1000, 1), 2.0)
        detail = dict(event.get("detail") or {})
        prompt = _messages(detail.pop("prompt", detail.pop("messages", None)))
        named = [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
                 for name, value in detail.items()]  # fmt: skip
        yield Bar(event, min(depth, 6), left, min(width, 1000 - left), named, prompt)


def _messages(prompt: object) -> list[tuple[str, str]]:
    """The prompt as it was sent; nothing for what is none."""
    if isinstance(prompt, str):
        return [("prompt", prompt)]
    if not isinstance(prompt, list):
        return []
    given = [one for one in prompt if isinstance(one, dict)]
    return [(str(one.get("role", "")), str(one.get("content", ""))) for one in given]
