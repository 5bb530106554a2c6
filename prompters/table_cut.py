"""Rows of tables as a prompt shows them where it is short of room: what the question is about.

A wide row costs as much as a paragraph and mostly says what nobody asked. Of a row those cells stay
that share words with the question, or are of the kind that it asks for (a number, a date, a name);
of a table that is shown as one block, the rows that share most. A few answers in a hundred are lost
by it, so that nothing is cut while all passages fit. Only what the LLM reads is cut: what is cited
is the row as it is stored. Not here: which rows were found (retrievers/tables/), the budget
(render.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from corpus.tokens import tokens
from pilotfish.types import Passage

CELLS = 6  # of a row that stay
ROWS = 8  # of one block
BETWEEN, GONE = "; ", "…"
# What a column is worth: its header in the question, a value in it, its kind asked for; the first
# two mostly name what the row is about. Set by hand.
_HEADER, _VALUE, _KIND, _NAMES = 2.0, 1.0, 0.5, (0.8, 0.4)
_WHEN = re.compile(r"\bwhen\b|\b(what|which) (year|date|month|day)", re.I)
_COUNT = re.compile(
    r"\bhow (many|much|long|old|far|tall|high)\b|\b(what|the) number\b|percent", re.I
)
_DATE = re.compile(r"\b(1\d|20)\d\d\b|\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.I)
_OVER_ALL = re.compile(  # such a question is about every row
    r"\b(total|sum|average|number of|all|every|most|least|first|last|only)\b"
    r"|\b\w{3,}est\b", re.I,
)  # fmt: skip
_FIGURE = re.compile(r"\d")
Kind = Literal["date", "number", "text"]


@dataclass(frozen=True, slots=True)
class Cell:
    """`Header: value` as it stands in a row's text."""

    text: str
    header: frozenset[str]
    value: frozenset[str]
    kind: Kind

    @classmethod
    def of(cls, text: str) -> Cell:
        header, _, value = text.partition(": ")
        kind: Kind = (
            "date" if _DATE.search(value) else "number" if _FIGURE.search(value) else "text"
        )
        return cls(text, frozenset(tokens(header)), frozenset(tokens(value)), kind)


def cut(passage: Passage, question: str) -> Passage:
    """The passage with its text as the prompt shows it; any but of a table as it is."""
    if passage.kind != "table":
        return passage
    asked = frozenset(tokens(question))
    lines = [[Cell.of(piece) for piece in _pieces(line)] for line in passage.text.split("\n")]
    kept = list(range(len(lines))) if _OVER_ALL.search(question) else _rows(lines, asked)
    wanted = columns([lines[at] for at in kept], asked, asked_for(question))
    shown, last = [], -1
    for at in kept:
        if at != last + 1:
            shown.append(GONE)
        shown.append(_line(lines[at], wanted))
        last = at
    if last != len(lines) - 1:
        shown.append(GONE)
    return replace(passage, text="\n".join(shown))


def columns(
    rows: Sequence[Sequence[Cell]], asked: frozenset[str], kind: Kind
) -> frozenset[frozenset[str]]:
    """The headers that stay, of all rows together, so that rows stay comparable."""
    every = list(dict.fromkeys(cell.header for row in rows for cell in row))
    if len(every) <= CELLS:
        return frozenset(every)
    worth = {header: _NAMES[at] if at < len(_NAMES) else 0.0 for at, header in enumerate(every)}
    for header in every:
        own = [cell for row in rows for cell in row if cell.header == header]
        worth[header] += _HEADER * len(asked & header) / max(1, len(header))
        worth[header] += _VALUE * any(asked & cell.value for cell in own)
        worth[header] += _KIND * any(cell.kind == kind for cell in own)
    best = sorted(every, key=lambda header: (-worth[header], every.index(header)))
    return frozenset(best[:CELLS])


def asked_for(question: str) -> Kind:
    """The kind of cell that a question asks for."""
    if _WHEN.search(question):
        return "date"
    return "number" if _COUNT.search(question) else "text"


def _rows(lines: Sequence[Sequence[Cell]], asked: frozenset[str]) -> list[int]:
    """The rows that share most with the question, in their order."""
    if len(lines) <= ROWS:
        return list(range(len(lines)))
    shared = [len(asked & frozenset().union(*(cell.value for cell in row))) for row in lines]
    best = sorted(range(len(lines)), key=lambda at: (-shared[at], at))[:ROWS]
    return sorted(best)


def _line(row: Sequence[Cell], wanted: frozenset[frozenset[str]]) -> str:
    kept = [cell.text for cell in row if cell.header in wanted]
    return BETWEEN.join(kept if len(kept) == len(row) else [*kept, GONE])


def _pieces(line: str) -> list[str]:
    """The cells of a line; what has no header goes on with the cell before."""
    found: list[str] = []
    for piece in line.split(BETWEEN):
        if found and ": " not in piece:
            found[-1] += BETWEEN + piece
        else:
            found.append(piece)
    return found
