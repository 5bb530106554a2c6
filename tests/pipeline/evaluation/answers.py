"""Made answers and right ones for tests of pipeline/evaluation, and models without weights."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.token_vectors import Tokens
from pipeline.evaluation.files import Joined, Source
from pipeline.evaluation.records import Gold, Reply, gold_of, reply_of
from pipeline.evaluation.rows import Measured, Rule, Tools, measured


class HashedTokens:
    """A token encoder whose vectors are a word's own: equal words have cosine 1, others near 0."""

    def ids(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        return [np.array([zlib.crc32(w.encode()) for w in text.split()], np.int64)
                for text in texts]  # fmt: skip

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        return [self._tokens(text, ids) for text, ids in zip(texts, self.ids(texts), strict=True)]

    def _tokens(self, text: str, ids: NDArray[np.int64]) -> Tokens:
        rows = [np.random.default_rng(int(one)).normal(size=64) for one in ids]
        vectors = np.array(rows, np.float32).reshape(len(ids), 64)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        strange = [word.startswith("?") for word in text.split()]
        return Tokens(ids, vectors, float(np.mean(strange)) if strange else 0.0)


def holds(claim: str, evidence: str) -> float:
    """A judge: every word of the claim stands in the evidence."""
    return float(set(claim.lower().strip(".").split()) <= set(evidence.lower().split()))


def line(name: str, answer: str | None, support: float | None = 0.5, **more: Any) -> dict[str, Any]:
    """A line as `batch` writes it."""
    paid = {"llm_calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0,
            "seconds": 0.5}  # fmt: skip
    status = "abstained" if answer is None else "answered"
    return {"custom_id": name, "status": status, "answer": answer, "citations": [],
            "support": support, "receipt": paid | more.pop("receipt", {}), "error": None,
            "model": "extract", "degraded": False, **more}  # fmt: skip


def joined(lines: Sequence[dict[str, Any]], gold: Sequence[dict[str, Any]]) -> Joined:
    """Answers and right answers, pair by pair."""
    replies = [reply_of(one, n) for n, one in enumerate(lines, start=1)]
    wanted = [gold_of(one, n) for n, one in enumerate(gold, start=1)]
    return Joined(tuple(zip(replies, wanted, strict=True)))


def run_of(pairs: Joined, rule: Rule = "match", models: bool = True) -> Measured:
    """All measures, by the models of this file."""
    return measured(pairs.pairs, Tools(HashedTokens(), holds) if models else Tools(), rule)


def source(name: str = "answers.jsonl") -> Source:
    return Source(name, "0" * 64, 1)


def pair(said: str, *answers: str, answered: bool = True) -> tuple[Reply, Gold]:
    return Reply("q", answered, said), Gold("q", answers)
