"""A chat completion as it is asked for, and the question that it becomes.

The last message is the question, earlier ones are its turns. What would change the meaning of
an answer and is not ours is refused by name; what only steers sampling is left out, and said.
Not here: replies (openai_shapes.py), batch lines (openai_lines.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.questions import Line
from pipeline.recipes import RECIPES
from workers.asked import Asked
from workers.forms import EXAMPLE, Chosen, Dollars, Short
from workers.openai_errors import Unfit

PILOTFISH = "pilotfish"  # the model that is the default recipe
# Refused unless it says what we do anyway.
_ONLY: dict[str, tuple[Any, ...]] = {
    "n": (1,), "tools": ([],), "tool_choice": ("none", "auto"), "functions": ([],),
    "function_call": ("none", "auto"), "logprobs": (False,), "top_logprobs": (0,),
    "modalities": (["text"],), "response_format": ({"type": "text"},), "audio": (),
    "prediction": (), "web_search_options": (), "moderation": (),
}  # fmt: skip
_LEFT_OUT = frozenset({
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "seed", "stop", "user",
    "metadata", "store", "frequency_penalty", "presence_penalty", "logit_bias", "service_tier",
    "parallel_tool_calls", "reasoning_effort", "verbosity", "safety_identifier",
    "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
})  # fmt: skip
_MARKER = re.compile(r" (?:\[\d{1,3}\])+")  # ours, in answers that come back as turns


def sound(text: str) -> str:
    """Text that can be stored: no NUL, no half characters."""
    if "\0" in text:
        raise ValueError("holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a character (a lone surrogate)") from None
    return text


Sound = Annotated[str, AfterValidator(sound)]


class Part(BaseModel):
    type: str
    text: Sound | None = None


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: Sound | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text or "" for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    include_usage: bool | None = None


class ChatOptions(Chosen):
    """What `pilotfish` of the body may say; what is left out is as the service is configured."""

    budget_usd: Dollars | None = None
    deadline: float | None = Field(None, gt=0, le=3600, description="seconds")
    trace: bool = Field(False, description="with what each step did")

    def given(self) -> dict[str, Any]:
        """What the job keeps beside recipe and collection."""
        return self.parameters(item_budget_usd=self.budget_usd, deadline=self.deadline)


class ChatForm(BaseModel):
    """OpenAI's request; `model` is a recipe, or pilotfish for the default one."""

    model_config = ConfigDict(
        extra="allow", allow_inf_nan=False,
        json_schema_extra={"examples": [{
            "model": PILOTFISH, "messages": [{"role": "user", "content": EXAMPLE}],
            "pilotfish": {"collection": "default"}}]},
    )  # fmt: skip
    model: Short
    messages: list[Message] = Field(min_length=1, max_length=2000)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    pilotfish: ChatOptions = ChatOptions()

    def recipe(self) -> str:
        """The recipe that `model` names."""
        own = self.pilotfish.recipe if "recipe" in self.pilotfish.model_fields_set else None
        if self.model == PILOTFISH:
            return own or "default"
        if self.model not in RECIPES:
            known = ", ".join(models())
            raise Unfit(
                f"no model {self.model!r}: choose one of {known}; the LLM is pilotfish.model",
                "model", code="model_not_found", status=404,
            )  # fmt: skip
        if own not in {None, self.model}:
            raise Unfit(f"model {self.model!r} and pilotfish.recipe {own!r} differ", "model")
        return self.model

    def asked(self, key: str | None, digest: str | None) -> Asked:
        options = self.pilotfish
        return Asked(
            options.collection, self.recipe(), options.given(),
            idempotency_key=key, body_sha256=digest,
        )  # fmt: skip


def models() -> tuple[str, ...]:
    """What `model` may be."""
    return (PILOTFISH, *RECIPES)


@dataclass(frozen=True, slots=True)
class Understood:
    """A request that can be asked. `ignored`: what of it was left out."""

    question: str
    turns: tuple[dict[str, str], ...]
    ignored: tuple[str, ...]

    def line(self, number: int = 1, custom_id: str = "1", where: str | None = None) -> Line:
        fields: dict[str, object] = {"turns": list(self.turns)} if self.turns else {}
        if where:
            fields["where"] = where
        return Line(number, custom_id, self.question, fields)


def understood(form: ChatForm, longest: int) -> Understood:
    """The question of a request; Unfit names what cannot be served. longest: of all turns."""
    ignored = _left_out(form)
    for message in form.messages:
        _only_text(message)
    *before, last = form.messages
    if last.role != "user":
        raise Unfit("messages: the last one must be the user's question", "messages")
    if any(message.role in {"system", "developer"} for message in before):
        ignored.append("system messages")
    turns = [turn for turn in map(_turn, before) if turn["role"] in {"user", "assistant"}]
    kept = _latest([turn for turn in turns if turn["text"].strip()], longest)
    if len(kept) < len(turns):
        ignored.append("turns that are empty or too long ago")
    return Understood(last.text, tuple(kept), tuple(ignored))


def _left_out(form: ChatForm) -> list[str]:
    """Names of options that change nothing here; Unfit for those that would have to."""
    if form.stream_options is not None and not form.stream:
        raise Unfit("stream_options: only with stream=true", "stream_options")
    left_out = []
    for name, value in (form.model_extra or {}).items():
        if name in _ONLY:
            if value is not None and value not in _ONLY[name]:
                raise Unfit(
                    f"{name} is not supported: leave it out", name, code="unsupported_parameter"
                )
        elif name not in _LEFT_OUT:
            raise Unfit(
                f"{name[:80]!r} is unknown: leave it out, or send our options under pilotfish",
                name[:80], code="unknown_parameter",
            )  # fmt: skip
        elif value is not None:
            left_out.append(name)
    return sorted(left_out)


def _only_text(message: Message) -> None:
    parts = message.content if isinstance(message.content, list) else ()
    for part in parts:
        if part.type != "text" or part.text is None:
            raise Unfit(f"messages: {part.type[:40]!r} content is not supported: send text",
                        "messages", code="unsupported_content")  # fmt: skip


def _turn(message: Message) -> dict[str, str]:
    text = message.text
    if message.role == "assistant":
        text = _MARKER.sub("", text)  # an LLM that reads them writes such, too
    return {"role": message.role, "text": text}


def _latest(turns: Sequence[dict[str, str]], longest: int) -> list[dict[str, str]]:
    """The last turns that have at most `longest` characters together."""
    kept: list[dict[str, str]] = []
    for turn in reversed(turns):
        longest -= len(turn["text"])
        if longest < 0:
            break
        kept.append(turn)
    return kept[::-1]
