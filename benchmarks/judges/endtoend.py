"""Questions over one collection without any LLM: retrieve, rerank, read, cite, or abstain.

All passages of nq_oracle, xquad and 2wiki are the collection; the gold passages of a fifth of the
questions are taken away. Asked are held-out questions only. Right: exact match or normalised F1 of
at least 0.8; yes and no exactly. The judge of spans that is shipped was fitted on these rows, so
their supports are cross-fitted here. Not here: what a promise is worth (benchmarks/risk.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data, risk
from benchmarks.ground import COMPLETE, Ground
from benchmarks.judges.fitting import binary_crossfitted
from benchmarks.risk import Row
from models.auroc import auroc
from models.training import sources
from models.training.examples import held, share
from pilotfish.settings import Settings
from pilotfish.types import Case, Question
from pipeline.evaluation.scores import is_right
from pipeline.library import Library
from verifiers.calibration import Label
from verifiers.spanned import EXTRACT

REMOVED = 0.2
ERRORS = (0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Asked:
    """A held-out question, its document and answers; removed: the gold passages are taken away."""

    id: str
    set: str
    source: str
    question: str
    answers: tuple[str, ...]
    removed: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What the line said: the judge's support, whether it is right, and what support saw.

    support None: it abstained. group: what answers are grouped by. seen: the span's features.
    """

    asked: Asked
    support: float | None
    right: bool
    seconds: float
    group: Mapping[str, str]
    seen: Mapping[str, float]


def key(text: str) -> str:
    """A document's id: the digest of its text."""
    return "d" + hashlib.sha256(text.encode()).hexdigest()[:12]


def passages() -> Iterator[tuple[str, str, str]]:
    """(key, title, text) of every passage of the three sets, repeats among them."""
    for name in sources.READING:
        for row in sources.rows(f"reading/{name}"):
            yield key(row["context"]), row["title"], row["context"]
    for row in sources.rows("multihop/2wiki"):
        for one in row["passages"]:
            yield key(one["text"]), one["title"], one["text"]


def questions() -> tuple[list[Asked], set[str]]:
    """The held-out questions, and the keys of the passages that are taken away."""
    found, gone = [], set()
    for name, row, gold, out in _every():
        source = row["title"] if "title" in row else str(row["id"])
        removed = share("removed " + gold[0]) < REMOVED
        gone |= set(gold) if removed else set()
        if out:
            found.append(
                Asked(str(row["id"]), name, source, row["question"], tuple(row["answers"]), removed)
            )
    return found, gone


def _every() -> Iterator[tuple[str, dict[str, Any], list[str], bool]]:
    for name in sources.READING:
        for row in sources.rows(f"reading/{name}"):
            yield name, row, [key(row["context"])], held(row["title"])
    for row in sources.rows("multihop/2wiki"):
        gold = [key(p["text"]) for p in row["passages"] if p["gold"]]
        yield "2wiki", row, gold, held("2wiki " + row["id"])


def library(ground: Ground, judge: str) -> tuple[Library, list[Asked]]:
    """The collection, made once for this code, and its questions."""
    asked, gone = questions()
    place = ground.work / "collections" / "endtoend"
    settings = Settings(workspace=place, judge=judge, abstain_below=0.0)
    if not (place / COMPLETE).exists():
        rows = {k: {"id": k, "title": title, "text": text} for k, title, text in passages()}
        kept = [row for k, row in rows.items() if k not in gone]
        file = data.write(Path(ground.work) / "files" / "endtoend.jsonl", kept)
        Library(settings, create=True).add([str(file)])
        (place / COMPLETE).touch()
    return Library(settings), asked[: 60 if ground.quick else None]


def told(ground: Ground, judge: str = "pilot") -> list[Told]:
    """Every question asked once, nothing withheld: thresholds are chosen by who reads the rows."""
    shelf, asked = library(ground, judge)
    found = [_told(one, shelf.ask(Question(one.question, one.id))) for one in asked]
    return crossfitted(found) if judge == "pilot" else found


def _told(one: Asked, case: Case) -> Told:
    answer, seconds = case.answer, sum(event.seconds for event in case.trace[-1:])
    if answer is None or answer.abstained or answer.basis is None:
        return Told(one, None, False, seconds, {}, {})
    # What was put together from hops has a judge of its own (pipeline/hop_support.json).
    spans = [e.detail["span"] for e in case.trace if "span" in e.detail]
    seen = spans[0] if spans and answer.model == EXTRACT else {}
    assert isinstance(seen, dict)
    said = answer.values[0] if answer.values else answer.text  # without a source that disagrees
    right = is_right(said, one.answers)
    return Told(one, answer.basis.judged, right, seconds, answer.basis.features, seen)


def crossfitted(rows: list[Told]) -> list[Told]:
    """The rows with supports of judges that have not seen their documents."""
    read = [row for row in rows if row.seen]
    chances = binary_crossfitted(
        [row.seen for row in read], [row.right for row in read], [row.asked.source for row in read]
    )
    new = {id(row): float(chance) for row, chance in zip(read, chances, strict=True)}
    return [replace(row, support=new[id(row)]) if id(row) in new else row for row in rows]


def labelled(rows: Sequence[Told]) -> list[Row]:
    """The rows as promises need them."""
    return [
        Row(r.asked.set, r.asked.source,
            None if r.support is None else Label(r.support, r.right, r.group))
        for r in rows
    ]  # fmt: skip


def measure(ground: Ground) -> dict[str, Any]:
    """How many are right, how well support tells right from wrong, what may be promised."""
    rows = {judge: told(ground, judge) for judge in ("pilot", "rules")}
    promises = risk.judged(labelled(rows["pilot"]))
    kept = {e: promises["promises"][str(e)]["promise"] for e in ERRORS}
    return {
        "judges": {judge: _table(found) for judge, found in rows.items()},
        "risk": promises,
        "answered without an LLM at a kept promise": {
            f"{e:.0%}": one["coverage"] for e, one in kept.items()
        },
        "bars": promises.pop("bars"),
    }


def _table(rows: list[Told]) -> dict[str, Any]:
    right, support = np.array([r.right for r in rows]), np.array([r.support or 0.0 for r in rows])
    return {
        "questions": len(rows),
        "answered": sum(row.support is not None for row in rows),
        "right of all": round(float(right.mean()), 4),
        "AUROC of support": round(auroc(right, support), 4),
        "p50 seconds": round(float(np.median([r.seconds for r in rows])), 3),
        "coverage at oracle threshold": {
            f"{error:.0%}": round(_coverage(right, support, error), 4) for error in ERRORS
        },
        "right by set": {
            name: _share_right(rows, name) for name in sorted({r.asked.set for r in rows})
        },
    }


def _share_right(rows: list[Told], name: str) -> float:
    return round(float(np.mean([row.right for row in rows if row.asked.set == name])), 4)


def _coverage(right: Any, support: Any, error: float) -> float:
    """Largest share that may be answered, best supported first, with at most this error."""
    order = np.argsort(-support, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    fine = np.flatnonzero(wrong <= error)
    return float((fine[-1] + 1) / len(order)) if len(fine) else 0.0
