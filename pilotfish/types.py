"""The nouns. Frozen, slotted, without behaviour beyond trivial properties.

Not here: validation (the edges do it), storage, or anything that does work.
Offsets are Unicode code points of a document's stored canonical text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "table", "triple", "manual"]
UNCALIBRATED = "uncalibrated here"
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation before the question."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look. `where` is a metadata filter such as ``year >= 2020``.

    `kind`: in passages of that kind alone; `table`: in the table of that id; `topic`: in the graph,
    from the entity of that name.
    """

    collection: str = "default"
    kind: Kind | None = None
    table: str | None = None
    topic: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the caller allows. `deadline` is in seconds from the start of the item; `max_error` the
    share of given answers that may be wrong.

    `effort`: 0 small models only ... 1 the strongest tier always.
    """

    max_error: float | None = None
    effort: float | None = None
    max_calls: int = 1
    budget_usd: float | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Only the caller may change it."""

    text: str
    id: str = ""
    turns: tuple[Turn, ...] = ()
    scope: Scope = Scope()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands, for people: page and heading, or cells, or a triple."""

    page: int | None = None
    heading: tuple[str, ...] = ()
    table: str | None = None
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    triple: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document that may be cited: `text` equals the slice [start, end)."""

    id: int
    text: str
    document: str
    start: int
    end: int
    place: Place = Place()
    kind: Kind = "text"
    score: float = 0.0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """Steers the prompt or the retrieval; is never cited. `read`: ids of passages that it quotes,
    of whichever collection: what rests on them goes when they go.
    """

    kind: str
    text: str
    score: float = 0.0
    read: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the prompt as it is sent."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the LLM reads. `keys` maps each citation key to a passage id."""

    messages: tuple[Message, ...]
    keys: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """Exact characters of a document: `quote` equals the stored slice [start, end)."""

    document: str
    start: int
    end: int
    quote: str
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Cells:
    """Exact cells of a table, as stored."""

    document: str
    table: str
    rows: tuple[int, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Triple:
    """One edge of a graph, as stored."""

    document: str
    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True)
class Citation:
    """What carries one sentence of the answer; `sentence` is (start, end) in the answer's text.

    `support` is the probability that the source carries the sentence.
    """

    sentence: tuple[int, int]
    source: Span | Cells | Triple
    support: float | None = None
    passage: int | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something a verifier found wrong with the answer's text [start, end).

    Of a sentence: unsupported or contradicted; `evidence` is what the documents say instead.
    """

    kind: str
    start: int
    end: int
    detail: str = ""
    evidence: Span | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What `support` rests on: the judge's own figure, what the answer was, whose labels.

    `calibration` says it to people ("uncalibrated here", or the date and number of labels of
    this collection); `promise` what was said to a `max_error`; `kept`: it holds for this answer.
    """

    judged: float
    features: Mapping[str, str] = field(default_factory=dict)
    judge: str = ""
    calibration: str = UNCALIBRATED
    promise: str = ""
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said. `support` is the probability that it is right, None: nobody looked."""

    text: str
    values: tuple[str, ...] = ()
    model: str = ""
    citations: tuple[Citation, ...] = ()
    support: float | None = None
    flaws: tuple[Flaw, ...] = ()
    abstained: bool = False
    degraded: bool = False
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the trace. Money is written only by pipeline/llm.py.

    `started` is in seconds since the epoch, `seconds` how long it took, `llm_calls` the attempts
    that were or may have been paid; `cost_usd` is None, never 0, when the price is unknown.
    """

    step: str
    started: float
    seconds: float
    llm_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0
    error: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """The traveller: each folder of helpers may change its own field only."""

    question: Question
    passages: tuple[Passage, ...] = ()
    hints: tuple[Hint, ...] = ()
    prompt: Prompt | None = None
    answer: Answer | None = None
    notes: Mapping[str, object] = field(default_factory=dict)
    trace: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one item cost. `cost_usd` is None when any price is unknown."""

    llm_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0
