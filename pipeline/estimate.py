"""What a batch would cost, before it starts: prompts of a sample, priced; nothing is sent.

An upper bound on LLM calls: what the extractive tier answers is not known beforehand.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from pilotfish.step import run
from pilotfish.types import Case, Question
from pipeline.library import Library
from pipeline.prices import find
from pipeline.questions import Line
from pipeline.wiring import render

SAMPLE = 8


def estimate_batch(library: Library, lines: Sequence[Line]) -> dict[str, object]:
    """Questions, LLM calls, tokens, dollars (None: price unknown) and minutes, at most."""
    settings = library.settings
    models = settings.llm.models
    sample = lines[:: max(1, len(lines) // SAMPLE)][:SAMPLE]
    started = time.perf_counter()
    tokens = [_prompt_tokens(library, line.question) for line in sample]
    seconds = (time.perf_counter() - started) / max(1, len(sample))
    prompt = round(sum(tokens) / max(1, len(tokens))) * len(lines)
    completion = settings.llm.max_tokens * len(lines)
    calls = len(lines) * len(models)
    dollars = 0.0 if not models else _dollars(models, prompt, completion)
    return {
        "questions": len(lines),
        "llm_calls_at_most": calls,
        "prompt_tokens": prompt * len(models),
        "completion_tokens_at_most": completion * len(models),
        "cost_usd_at_most": dollars,
        "minutes_without_llm_latency": round(seconds * len(lines) / 60, 2),
    }


def _prompt_tokens(library: Library, question: str) -> int:
    case: Case = library.search(Question(question), "fused", library.settings.passages)
    prompt = run(render(library.parts), case).prompt
    texts = [message.content for message in prompt.messages] if prompt else []
    return sum(library.parts.count(texts))


def _dollars(models: Sequence[str], prompt: int, completion: int) -> float | None:
    total = 0.0
    for model in models:
        price = find(model, {})
        cost = price.cost(prompt, completion, 0) if price else None
        if cost is None:
            return None
        total += cost
    return round(total, 6)
