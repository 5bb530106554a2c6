"""The labelled tables of the development data as examples. Not here: fitting, measuring."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retrievers.tableqa.fitting import Example

Row = dict[str, Any]


def folder() -> Path:
    """Where the development data lies: PILOTFISH_BENCH_DATA, or ../shared/data."""
    return Path(os.environ.get("PILOTFISH_BENCH_DATA", "../shared/data")) / "tables"


def questions(split: str) -> list[Example]:
    """WikiTableQuestions, table by table; split: train or dev (their tables are disjoint)."""
    tables = _tables("wtq")
    rows = sorted(_lines(f"wtq_{split}"), key=lambda row: str(row["table_id"]))
    return [
        Example(row["question"], tables[row["table_id"]]["columns"],
                tables[row["table_id"]]["rows"], tuple(row["answers"]))
        for row in rows
    ]  # fmt: skip


def claims() -> list[Example]:
    """TabFact's claims, table by table."""
    tables = _tables("tabfact")
    rows = sorted(_lines("tabfact"), key=lambda row: str(row["table_id"]))
    made = []
    for row in rows:
        table = tables[row["table_id"]]
        holds = row["label"] == "supported"
        made.append(Example(row["claim"], table["columns"], table["rows"],
                            supported=holds, title=table["title"]))  # fmt: skip
    return made


def _tables(name: str) -> dict[str, Row]:
    return {str(row["id"]): row for row in _lines(f"{name}.tables")}


def _lines(name: str) -> Iterator[Row]:
    with gzip.open(folder() / f"{name}.jsonl.gz", "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)
