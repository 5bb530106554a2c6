"""A local seq2seq model (T5 and its kin) that corrects drafts; any Hugging Face name or folder.

LMCor (arXiv 2305.13514) writes from a source and candidates, Aligner (arXiv 2402.02416) from
question, answer and correction: both are one text in, one text out. Loaded at its first use; no
weights come with the package. Not here: whether the result is better (pipeline/retry.py).
"""

from __future__ import annotations

import functools
from functools import cached_property
from typing import Any

from models.local import tokenizer_and_model

LONGEST = 1024  # tokens that are read


class Seq2Seq:
    """`name`: a Hugging Face name or a folder; `words`: tokens that are written at most."""

    def __init__(self, name: str, words: int = 256) -> None:
        self._name = name
        self._words = words

    def __call__(self, question: str, draft: str, passages: list[str]) -> str:
        """The corrected draft. Greedy, so that an equal case gives an equal answer."""
        tokenizer, model = self._loaded
        evidence = " ".join(passages)
        text = f"question: {question} candidates: {draft} source: {evidence}"
        read = tokenizer(text, return_tensors="pt", truncation=True, max_length=LONGEST)
        read.pop("token_type_ids", None)
        written = model.generate(**read, max_new_tokens=self._words, do_sample=False)
        return str(tokenizer.decode(written[0], skip_special_tokens=True)).strip()

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return tokenizer_and_model(self._name, "seq2seq", "corrector")


@functools.cache
def loaded(name: str) -> Seq2Seq:
    """One of each name in a process."""
    return Seq2Seq(name)
