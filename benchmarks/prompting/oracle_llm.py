"""A test LLM that knows the gold hops, over the wire: it decomposes and answers as a good one.

Asked to decompose, in LlamaIndex's or Haystack's words, it gives the gold hops, so that the number
of calls is not ours to choose. Asked a question it gives the gold answer where its prompt holds
what every hop of it needs, else it says that it does not know. Calls and tokens (cl100k, which
LiteLLM carries with it) are counted here, for all alike. Not here: who asks (peer_systems.py).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.evaluation.scores import words
from tests.conftest import BLOCK
from tests.llm_server import LLMServer

UNKNOWN = "I cannot answer from these documents."
LLAMA, HAYSTACK = "sub-questions in json markdown", '"queries" array with exactly'
TAIL = 1500  # characters at the end of a prompt, where every system puts its question


@dataclass(frozen=True, slots=True)
class Gold:
    """A question, what is right, and its hops: (question, answer in a sentence)."""

    question: str
    answers: tuple[str, ...]
    hops: tuple[tuple[str, str], ...]


class OracleLLM(LLMServer):
    """Plays the LLM for these questions."""

    def __init__(self, gold: Sequence[Gold], latency: float) -> None:
        super().__init__(respond=self.reply, latency=latency)
        self.gold = list(gold)
        self.calls = self.prompt_tokens = self.completion_tokens = 0
        self._count = counter()

    def reply(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """What it says to these messages, counted."""
        texts = [told(one) for one in messages]
        said = self._said("\n".join(texts))
        with self._lock:
            self.calls += 1
            self.prompt_tokens += sum(map(self._count, texts))
            self.completion_tokens += self._count(said)
        return said

    def _said(self, prompt: str) -> str:
        tail = prompt[-TAIL:]
        if LLAMA in prompt or HAYSTACK in prompt:
            return self._decomposed(tail, LLAMA in prompt)
        for one in self.gold:  # a hop has another's words in it only where both are one question
            for question, answer in sorted(one.hops, key=lambda hop: -len(hop[0])):
                if question in tail and one.question not in tail:
                    return answer if carried(prompt, ((question, answer),)) else UNKNOWN
        found = [one for one in self.gold if one.question in tail]
        if not found or not carried(prompt, found[0].hops):
            return UNKNOWN
        return cited(prompt, found[0].answers[0])

    def _decomposed(self, tail: str, llama: bool) -> str:
        found = next(one for one in self.gold if one.question in tail)
        hops = [question for question, _ in found.hops]
        if not llama:
            return json.dumps({"queries": hops})
        items = [{"sub_question": hop, "tool_name": "documents"} for hop in hops]
        return f"```json\n{json.dumps({'items': items})}\n```"


def carried(prompt: str, hops: Sequence[tuple[str, str]]) -> bool:
    """Whether the prompt holds every word that the hops' answers add to their questions."""
    shown = "\n".join(one for one in prompt.split("\n") if not one.startswith("Hint ("))
    there = set(words(shown))
    return all(
        set(words(answer)) - set(words(question)) - _SMALL <= there for question, answer in hops
    )


_SMALL = frozenset("is was the a an of in on at to by are were and died born".split())


def cited(prompt: str, answer: str) -> str:
    """With the key of the first passage that has the answer, where passages have keys."""
    blocks = [(match.group(1), match.group(2)) for match in BLOCK.finditer(prompt)]
    if not blocks:
        return answer
    key = next((key for key, text in blocks if answer.lower() in text.lower()), blocks[0][0])
    return f"{answer} [{key}]."


def told(message: Mapping[str, Any]) -> str:
    """A message's text, however it is sent."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)


def counter() -> Any:
    """text -> tokens."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    return lambda text: len(litellm.encode(model="gpt-4", text=re.sub(r"<\|\w+\|>", " ", text)))
