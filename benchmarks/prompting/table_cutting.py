"""Rows and columns that prompts leave out: are answers still there, and at what share of tokens?

Questions of wtq_dev whose answer is one cell, over their own table. row: each row that holds the
answer, if it is wider than is kept whole, beside its first cells. block: the whole table as one
passage, if it is longer, beside its first rows. Tokens are the encoder's. Not here: finding rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from benchmarks.ground import Ground
from benchmarks.tableqa import records
from corpus.formats.grid import clean, linearise, unique_columns
from pilotfish.types import Passage
from prompters.table_cut import BETWEEN, CELLS, ROWS, cut
from retrievers.tableqa.fitting import Example

Count = Callable[[Sequence[str]], list[int]]


def measure(here: Ground) -> dict[str, Any]:
    """Both kinds, ours beside the dumb way, and the bars."""
    from models.encoders import Encoders

    count = Encoders(0)("all-MiniLM-L6-v2").count
    asked = [one for one in records.questions("dev") if len(one.answers) == 1]
    asked = asked[: 50 if here.quick else None]
    kinds = {"row": _rows(asked, count), "block": _blocks(asked, count)}
    bars = {
        f"tables cut, {name}: more answers kept than by the first cells or rows":
            one["ours"]["kept"] > one["first"]["kept"]
        for name, one in kinds.items()
    }  # fmt: skip
    return {"kinds": kinds, "bars": bars}


def _rows(asked: Sequence[Example], count: Count) -> dict[str, Any]:
    """Of wide rows that hold the answer."""
    ours, first = [], []
    for one in asked:
        wanted = clean(one.answers[0]).casefold()
        for row in _lines(one):
            cells = row.split(BETWEEN)
            if len(cells) <= CELLS or not _has(row, wanted):
                continue
            ours.append(_kept(cut(_passage(row), one.text).text, row, wanted, count))
            first.append(_kept(BETWEEN.join(cells[:CELLS]), row, wanted, count))
    return _told(ours, first)


def _blocks(asked: Sequence[Example], count: Count) -> dict[str, Any]:
    """Of whole tables of more rows than stay."""
    ours, first = [], []
    for one in asked:
        rows, wanted = _lines(one), clean(one.answers[0]).casefold()
        block = "\n".join(rows)
        if len(rows) <= ROWS or not _has(block, wanted):
            continue
        ours.append(_kept(cut(_passage(block), one.text).text, block, wanted, count))
        first.append(_kept("\n".join(rows[:ROWS]), block, wanted, count))
    return _told(ours, first)


def _told(ours: list[tuple[bool, float]], first: list[tuple[bool, float]]) -> dict[str, Any]:
    return {
        "count": len(ours),
        **{
            name: {"kept": round(fmean(k for k, _ in some), 4),
                   "tokens": round(fmean(t for _, t in some), 4)}
            for name, some in (("ours", ours), ("first", first))
        },
    }  # fmt: skip


def _kept(shown: str, whole: str, wanted: str, count: Count) -> tuple[bool, float]:
    few, all_ = count([shown, whole])
    return _has(shown, wanted), few / all_


def _has(text: str, wanted: str) -> bool:
    return any(
        piece.partition(": ")[2].casefold() == wanted
        for line in text.split("\n")
        for piece in line.split(BETWEEN)
    )


def _lines(one: Example) -> list[str]:
    columns = unique_columns(tuple(map(clean, one.columns)), len(one.columns))
    rows = [tuple(map(clean, row)) for row in one.rows]
    return [linearise(columns, row) for row in rows if len(row) == len(columns)]


def _passage(text: str) -> Passage:
    return Passage(1, text, "d", 0, len(text), kind="table")
