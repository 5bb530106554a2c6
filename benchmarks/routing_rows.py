"""The recorded answers of routing/* as rows with costs, as `pilotfish tune cascade` reads them.

Not here: prices (costs.py), measures (routing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.costs import PRICES
from pipeline.recorded import Row, Tried

Record = Mapping[str, Any]


def rows(root: Path, name: str) -> list[Row]:
    """The rows of routing/`name`; groups are MMLU's subjects."""
    made = MAKERS[name]
    records = data.lines(root / "routing" / f"{name}.jsonl.gz")
    return [made(number, record) for number, record in enumerate(records, start=1)]


def _row(number: int, record: Record, answers: list[tuple[str, Any, Any]]) -> Row:
    """answers: (system, text or None, right)."""
    prompt = str(record.get("prompt") or record["question"])
    tried = {
        system: Tried(system, text, float(right), PRICES[system].of(prompt, text))
        for system, text, right in answers
    }
    group = record.get("subject")
    return Row(number, str(record["id"]), prompt, tried, group)


def _pair(number: int, record: Record) -> Row:
    return _row(number, record, [
        ("mixtral-8x7b", record.get("weak_answer"), record["weak_correct"]),
        ("gpt-4-1106", record.get("strong_answer"), record["strong_correct"]),
    ])  # fmt: skip


def _cascade(number: int, record: Record) -> Row:
    found = [(one["system"], one["text"], one["correct"]) for one in record["answers"]]
    return _row(number, record, found)


def _thought(number: int, record: Record) -> Row:
    return _row(number, {**record, "subject": None}, [
        ("direct", record["direct_answer"], record["direct_correct"]),
        ("step_by_step", record["cot_answer"], record["cot_correct"]),
    ])  # fmt: skip


MAKERS: dict[str, Callable[[int, Record], Row]] = {
    "mmlu": _pair, "gsm8k": _pair, "gsm8k_cascade": _cascade, "zero_shot_cot": _thought,
}  # fmt: skip
