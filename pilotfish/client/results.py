"""What a Client gives: frozen values out of the service's JSON. Citations and passages are the
nouns of `pilotfish.types`.

Fields that this version does not know are left out, so that a newer service may be asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar

from pilotfish.types import Cells, Citation, Passage, Place, Receipt, Span, Triple

T = TypeVar("T")
ENDED = frozenset({"completed", "completed_with_errors", "cancelled"})


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why one question failed."""

    code: str
    message: str
    type: str = "failed"


@dataclass(frozen=True, slots=True)
class Result:
    """One question's end. `answer` is None unless status is 'answered'; `candidate` is what was
    found but not trusted. `support`: the probability that the answer is right, `calibration`: by
    whose labels. `item`: the name under which to give feedback. `raw`: the line.
    """

    custom_id: str
    status: Literal["answered", "abstained", "failed"]
    answer: str | None = None
    citations: tuple[Citation, ...] = ()
    support: float | None = None
    receipt: Receipt = field(default_factory=Receipt)
    error: ItemError | None = None
    model: str = ""
    degraded: bool = False
    values: tuple[str, ...] = ()
    candidate: str | None = None
    question: str | None = None
    job: str | None = None
    item: str | None = None
    calibration: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a job may spend, has spent, and holds back for calls on their way."""

    limit_usd: float | None = None
    limit_tokens: int | None = None
    spent_usd: float = 0.0
    spent_tokens: int = 0
    held_usd: float = 0.0
    held_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why items failed, and how many."""

    message: str
    count: int


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it was when last looked at. Times are seconds since 1970. `cost_usd` is None when
    a price is unknown. `webhook_secret` comes only with the job's creation.
    """

    id: str
    state: Literal["running", "paused", "completed", "completed_with_errors", "cancelled"]
    kind: Literal["answer", "index"] = "answer"
    name: str | None = None
    collection: str = ""
    recipe: str = ""
    total: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    done: int = 0
    failed: int = 0
    created: float | None = None
    finished: float | None = None
    reason: str | None = None
    reasons: tuple[Reason, ...] = ()
    cost_usd: float | None = 0.0
    llm_calls: int = 0
    possible_duplicates: Mapping[str, Any] = field(default_factory=dict)
    budget: Budget | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a collection; `text`, which offsets of citations refer to, only with
    `client.document(id)`.
    """

    id: str
    title: str = ""
    source: str | None = None
    media_type: str = ""
    characters: int | None = None
    passages: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    added: float | str | None = None
    text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection and how much is in it."""

    name: str
    documents: int = 0
    passages: int = 0
    created: float | str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job would cost at most; None where a price is unknown."""

    questions: int
    llm_calls_at_most: int
    prompt_tokens: int
    completion_tokens_at_most: int
    cost_usd_at_most: float | None
    seconds_without_llm_latency: float


@dataclass(frozen=True, slots=True)
class Added:
    """What `add` did: ids of documents, and (file, reason) of what could not be read."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    passages: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    jobs: tuple[str, ...] = ()


def of(kind: type[T], row: Mapping[str, Any], **more: Any) -> T:
    """A frozen value of the row's fields that it knows; `more` wins."""
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    known = {name: _tupled(value) for name, value in row.items() if name in names}
    return kind(**(known | more))


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def result(line: Mapping[str, Any]) -> Result:
    """A result line."""
    error = line.get("error")
    return of(
        Result, line,
        citations=tuple(citation(one) for one in line.get("citations") or ()),
        receipt=of(Receipt, line.get("receipt") or {}),
        error=of(ItemError, error) if error else None,
        raw=line,
    )  # fmt: skip


def citation(row: Mapping[str, Any]) -> Citation:
    """A citation of a span, of cells or of a triple: told apart by their fields."""
    source: Span | Cells | Triple
    if "values" in row:
        values = tuple(tuple(one) for one in row["values"])
        source = of(Cells, row, values=values)
    elif "relation" in row:
        source = of(Triple, row)
    else:
        source = of(Span, row, place=of(Place, row))
    start, end = row.get("sentence") or (0, 0)
    return of(Citation, row, sentence=(start, end), source=source)


def passage(row: Mapping[str, Any]) -> Passage:
    """A passage of a search."""
    return of(Passage, row, place=of(Place, row.get("place") or {}))


def job_view(row: Mapping[str, Any]) -> JobView:
    """A job."""
    budget = row.get("budget")
    return of(
        JobView, row,
        reasons=tuple(of(Reason, one) for one in row.get("reasons") or ()),
        budget=of(Budget, budget) if budget else None,
    )  # fmt: skip


def document(row: Mapping[str, Any]) -> Document:
    """A document of a list, or with its text."""
    text = row.get("text")
    return of(Document, row, **({"characters": len(text)} if isinstance(text, str) else {}))


def added(lines: list[Mapping[str, Any]], jobs: tuple[str, ...]) -> Added:
    """The lines of index jobs in one."""
    named = {
        name: tuple(one for line in lines for one in line.get(name) or ())
        for name in ("added", "updated", "removed")
    }
    failed = tuple(pair for line in lines for pair in _failures(line))
    counted = {n: sum(int(line.get(n) or 0) for line in lines) for n in ("unchanged", "passages")}
    return Added(**named, **counted, failed=failed, jobs=jobs)  # type: ignore[arg-type]


def _failures(line: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A file may fail in part (some of its lines) or as a whole."""
    parts = line.get("failed") or ()
    if parts:
        return [(str(one.get("name") or line["custom_id"]), str(one["reason"])) for one in parts]
    error = line.get("error")
    return [(str(line["custom_id"]), str(error["message"]))] if error else []
