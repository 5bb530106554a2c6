"""What requests must look like, and how they become plain values. Unknown fields are errors.

Not here: what is done with them (jobs.py), and whether lines can be asked (asked.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pilotfish.errors import InputError
from pilotfish.types import Kind
from pipeline.questions import Line, read_questions
from workers.asked import Asked

EXAMPLE = "Within how many days may goods be returned?"


def _sound(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


Text = Annotated[str, AfterValidator(_sound)]
Short = Annotated[str, Field(max_length=200), AfterValidator(_sound)]
Dollars = Annotated[float, Field(ge=0, le=1e9)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Chosen(Form):
    """How questions are answered; what is left out is as the service is configured."""

    collection: Short | None = Field(None, description="default: the service's own setting")
    recipe: Short = "default"
    model: Short | None = Field(None, description="one of the configured models")
    where: Text | None = Field(None, max_length=20_000, examples=["year >= 2020"])
    passages: int | None = Field(None, ge=1, le=100)
    max_calls: int | None = Field(None, ge=0, le=100, description="LLM calls for one question")
    max_error: float | None = Field(
        None, gt=0, lt=1, description="share of given answers that may be wrong"
    )
    effort: float | None = Field(
        None, ge=0, le=1, description="0: small models only; 1: the strongest tier always"
    )
    on_unknown: Literal["retry", "hold"] | None = None
    on_budget: Literal["fail", "extract"] | None = None

    def parameters(self, **more: object) -> dict[str, Any]:
        """What the job keeps beside recipe and collection."""
        names = (
            "model", "where", "passages", "max_calls", "max_error", "effort", "on_unknown",
            "on_budget",
        )  # fmt: skip
        given = {name: getattr(self, name) for name in names} | more
        return {name: value for name, value in given.items() if value is not None}


class AnswerForm(Chosen):
    """One question."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": EXAMPLE, "collection": "default"}]}
    )
    question: Text
    budget_usd: Dollars | None = None
    deadline: float | None = Field(None, gt=0, le=3600, description="seconds")
    custom_id: Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_sound)] = "1"
    trace: bool = Field(False, description="with what each step did")
    table: Text | None = Field(None, max_length=1000, description="look in the table of this id")
    topic: Text | None = Field(None, max_length=1000, description="look in the graph, from here")

    def line(self) -> Line:
        named = {"table": self.table, "topic": self.topic}
        return Line(1, self.custom_id, self.question, {k: v for k, v in named.items() if v})

    def asked(self, key: str | None, digest: str | None) -> Asked:
        own = {"item_budget_usd": self.budget_usd, "deadline": self.deadline}
        return Asked(
            self.collection, self.recipe, self.parameters(**own),
            idempotency_key=key, body_sha256=digest,
        )  # fmt: skip


class ForMany(Chosen):
    """How many questions are answered together."""

    budget_usd: Dollars | None = None
    budget_tokens: int | None = Field(None, ge=0, le=10**15)
    deadline: float | None = Field(None, gt=0, le=3600, description="seconds for one question")
    webhook_url: Annotated[str, Field(max_length=2000)] | None = None
    name: Short | None = None
    skip_invalid: bool = False


class JobForm(ForMany):
    """Many questions."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"questions": [EXAMPLE, {"custom_id": "q-2", "question": "What does express cost?"}],
         "budget_usd": 1.5, "name": "returns"}
    ]})  # fmt: skip
    questions: list[Any] = Field(default=[], description="each a text, or a line with custom_id")

    def asked(self, key: str | None, digest: str | None) -> Asked:
        return Asked(
            self.collection, self.recipe, self.parameters(deadline=self.deadline),
            self.budget_usd, self.budget_tokens, self.webhook_url, self.name, self.skip_invalid,
            key, digest,
        )  # fmt: skip


class SearchForm(Form):
    """A query; answers with passages."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"query": "returns", "k": 5}]})
    query: Text
    collection: Short | None = None
    k: int = Field(10, ge=1, le=1000)
    retriever: Literal["bm25", "dense", "fused"] = "fused"
    kind: Kind | None = Field(None, description="only passages of this kind")
    where: Text | None = Field(None, max_length=20_000)


class FeedbackForm(Form):
    """What somebody says of an answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"right": False, "answer": "30"}]})
    right: bool
    answer: Text | None = Field(None, max_length=20_000, description="what would have been right")


class RetryForm(Form):
    """Which items are done again."""

    states: list[Literal["failed", "dead", "unknown", "cancelled"]] = Field(
        default=["failed", "dead", "unknown"], max_length=4
    )


class UploadForm(Form):
    """What may come beside the files of an index job."""

    name: Short | None = None
    webhook_url: Annotated[str, Field(max_length=2000)] | None = None

    def asked(self, collection: str, recipe: str, key: str | None, digest: str | None) -> Asked:
        return Asked(
            collection, recipe, webhook_url=self.webhook_url, name=self.name,
            idempotency_key=key, body_sha256=digest,
        )  # fmt: skip


def lines_of(questions: Sequence[Any], limit: int) -> list[Line]:
    """Lines of a JSON body: texts, or objects as in a file of JSON lines."""
    if not questions:
        raise InputError('no questions: send {"questions": ["..."]} or a file')
    rows = [{"question": one} if isinstance(one, str) else one for one in questions]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    return read_questions(_named("questions.jsonl"), data, limit)


def lines_in(name: str, data: bytes, limit: int) -> list[Line]:
    """Lines of an uploaded file; what it is, its name's ending says."""
    return read_questions(_named(name), data, limit)


def _named(name: str) -> Any:
    """A path that is only looked at, never opened."""
    return PurePosixPath(name)


def digest_of(path: str, fields: Mapping[str, Any], files: Sequence[tuple[str, str]] = ()) -> str:
    """sha256 of a request: equal ones have equal digests, whatever their spelling."""
    text = json.dumps([path, dict(fields), list(files)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
