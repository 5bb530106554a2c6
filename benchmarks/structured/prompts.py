"""What a question over a table costs the LLM: the linked schema against the whole table.

Tokens are the default encoder's. Not here: what an LLM makes of either.
"""

from __future__ import annotations

import random
import statistics
from typing import Any

from benchmarks.data import lines
from benchmarks.ground import Ground
from benchmarks.structured.finding import collection
from pilotfish.types import Case, Question, Scope
from prompters.sql import SqlPrompt

ASKED = 100


def measure(here: Ground) -> dict[str, Any]:
    """Mean and median tokens of the prompt that asks for SQL, and of the table's own text."""
    rows = lines(here.data / "tables" / "wtq_dev.jsonl.gz")
    random.Random(11).shuffle(rows)
    library = collection(here, "wtq")
    parts = library.parts

    def described(case: Case) -> str | None:
        linked = parts.sheets.linked(case)
        return None if linked is None else linked.text

    prompt, asked, whole = SqlPrompt(described), [], []
    for row in rows[: 10 if here.quick else ASKED]:
        case = Case(Question(row["question"], scope=Scope(table=row["table_id"])))
        written = prompt(case).prompt
        laid = parts.tables.find(row["table_id"])
        assert written is not None and laid is not None
        asked.append(sum(parts.count([m.content for m in written.messages])))
        table = [" | ".join(laid.table.columns), *(" | ".join(row) for row in laid.table.rows)]
        whole.append(sum(parts.count(table)))
    return {
        "questions": len(asked), "sql": _told(asked), "table": _told(whole),
        "ratio": round(statistics.fmean(whole) / statistics.fmean(asked), 2),
    }  # fmt: skip


def _told(counts: list[int]) -> dict[str, float]:
    return {"mean": round(statistics.fmean(counts), 1), "median": statistics.median(counts),
            "largest": max(counts)}  # fmt: skip
