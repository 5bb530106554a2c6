"""One system each, called in a process of its own: answers to questions through a given LLM.

Not here: counting what the LLM was asked (peers.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import peer_haystack, peer_llama
from benchmarks.ground import opened
from benchmarks.passages import pieces, vectors
from benchmarks.prompting.peers import Reply, plain

KEY = "sk-test-not-a-real-key"
WARM = "Who wrote this?"


def ours(
    workspace: str, questions: Sequence[str], url: str, recipe: str, effort: float | None = None
) -> dict[str, Any]:
    """Pilotfish, as somebody uses it who sets nothing but the LLM."""
    from pilotfish.types import Limits, Question

    os.environ |= {"OPENAI_API_KEY": KEY}
    library = opened(Path(workspace))
    llm = library.settings.llm.model_copy(update={"model": "openai/test-model", "api_base": url})
    settings = library.settings.model_copy(update={"llm": llm})
    library.ask(Question(WARM), recipe)  # no LLM in it: models are loaded

    def ask(text: str) -> str:
        asked = Question(text, limits=Limits(effort=effort))
        answer = library.ask(asked, recipe, settings=settings).answer
        return "" if answer is None or answer.abstained else answer.text

    return timed(ask, questions)


def llama(workspace: str, questions: Sequence[str], url: str, k: int) -> dict[str, Any]:
    """LlamaIndex: the LLM writes sub-questions, answers each, and puts the answers together."""
    library = opened(Path(workspace))
    made = peer_llama.nodes(pieces(library), vectors(library))
    engine = peer_llama.sub_questions(peer_llama.index(made, peer_llama.embedding()), url, KEY, k)
    return timed(lambda text: str(engine.query(text)), questions)


def haystack(workspace: str, questions: Sequence[str], url: str, k: int) -> dict[str, Any]:
    """Haystack: the LLM writes further queries, all are searched for one prompt."""
    library = opened(Path(workspace))
    pipeline = peer_haystack.multi_query(pieces(library), vectors(library), url, KEY, k)
    return timed(lambda text: peer_haystack.answer(pipeline, text), questions)


def timed(ask: Callable[[str], str], questions: Sequence[str]) -> dict[str, Any]:
    replies = []
    for text in questions:
        start = time.perf_counter()
        said = ask(text)
        replies.append(Reply("" if "cannot answer" in said else said, time.perf_counter() - start))
    return {"replies": plain(replies)}
