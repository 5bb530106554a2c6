"""The lines of an OpenAI batch: each a chat completion, read into the lines of one job.

Not here: whether the questions can be asked (asked.py), and the job (openai_batches.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from pipeline.questions import Line, doubled
from workers.forms import ForMany, Short
from workers.openai_errors import Unfit
from workers.openai_forms import ChatForm, ChatOptions, Sound, understood

ENDPOINT = "/v1/chat/completions"
MOST_LINES = 50_000
_BOM = b"\xef\xbb\xbf"
_How = tuple[str, str, ChatOptions]  # the model as it is called, its recipe, our options


class BatchOptions(ForMany):
    """What `pilotfish` of a batch may say, for all of its lines. `budget_usd` is the batch's."""


def _small(given: dict[str, str]) -> dict[str, str]:
    if len(given) > 16 or any(len(k) > 64 or len(v) > 512 for k, v in given.items()):
        raise ValueError("at most 16 pairs, of 64 and 512 characters")
    return given


class BatchForm(BaseModel):
    """OpenAI's request for a batch."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    input_file_id: Short
    endpoint: str
    completion_window: str = "24h"
    metadata: Annotated[dict[Sound, Sound], AfterValidator(_small)] | None = None
    pilotfish: BatchOptions = BatchOptions()


@dataclass(frozen=True, slots=True)
class Read:
    """A batch's file. `model` and `options` are what all good lines say."""

    lines: list[Line]
    model: str
    recipe: str
    options: ChatOptions


def read_batch(data: bytes, longest: int) -> Read:
    """All lines, good and bad; those that want it otherwise than the first good one are bad."""
    raws = data.removeprefix(_BOM).split(b"\n")
    numbered = [(number, raw) for number, raw in enumerate(raws, start=1) if raw.strip()]
    if not numbered or len(numbered) > MOST_LINES:
        what = "holds no requests" if not numbered else f"has over {MOST_LINES:,} requests"
        raise Unfit(f"the input file {what}: send one a line", "input_file_id")
    first: _How | None = None
    lines: list[Line] = []
    for number, raw in numbered:
        line, said = _read(number, raw, longest)
        if said is not None:
            first = first or said
            if _plain(said) != _plain(first):
                what = "wants another model or other pilotfish options than the lines before it"
                line = replace(line, problem=f"{what}: make it a batch of its own")
        lines.append(line)
    model, recipe, options = first or ("", "default", ChatOptions())
    return Read(doubled(lines), model, recipe, options)


def _plain(said: _How) -> tuple[str, dict[str, Any]]:
    return said[0], {**said[2].model_dump(), "recipe": said[1]}


def _read(number: int, raw: bytes, longest: int) -> tuple[Line, _How | None]:
    """(the line, what it says of how to do it); with a problem it says nothing."""
    bare = Line(number, str(number))
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        return replace(bare, problem="not valid JSON"), None
    try:
        custom_id = _custom_id(fields)
    except Unfit as error:
        return replace(bare, problem=str(error)), None
    bare = Line(number, custom_id)
    try:
        form = ChatForm.model_validate(_body(fields))
        if form.stream:
            raise Unfit("stream: not in a batch")
        asked = understood(form, longest)
        options = form.pilotfish
        said = (form.model, form.recipe(), options.model_copy(update={"where": None}))
        return asked.line(number, custom_id, options.where), said
    except ValidationError as error:
        return replace(bare, problem=_first(error)), None
    except Unfit as error:
        return replace(bare, problem=str(error)), None


def _custom_id(fields: Any) -> str:
    if not isinstance(fields, dict):
        raise Unfit("not a JSON object")
    custom_id = fields.get("custom_id")
    if not isinstance(custom_id, str) or not 0 < len(custom_id) <= 512:
        raise Unfit("custom_id is no text of 1 to 512 characters")
    try:
        custom_id.encode()
    except UnicodeEncodeError:
        raise Unfit("custom_id holds half a character (a lone surrogate)") from None
    return custom_id


def _body(fields: dict[str, Any]) -> Any:
    if fields.get("method") != "POST":
        raise Unfit("method is not POST")
    if fields.get("url") != ENDPOINT:
        raise Unfit(f"url is not {ENDPOINT}")
    return fields.get("body")


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part)[:64] for part in ("body", *found["loc"]))
    return f"{place}: {found['msg']}"
