"""How likely a local causal language model finds a text after another one (UPRISE's frozen scorer).

Any Hugging Face name or folder; loaded at its first use, no weights come with the package. Not
here: what is scored by it (pipeline/demo_scorers.py).
"""

from __future__ import annotations

import functools
from functools import cached_property
from typing import Any

from models.local import tokenizer_and_model

LONGEST = 1024  # tokens that are read; the beginning is cut


class Causal:
    """`name`: a Hugging Face name or a folder."""

    def __init__(self, name: str) -> None:
        self._name = name

    def likelihood(self, before: str, text: str) -> float:
        """The geometric mean of the text's token probabilities after `before`, 0 to 1."""
        import torch

        tokenizer, model = self._loaded
        first = tokenizer(before, add_special_tokens=False)["input_ids"]
        longest = min(LONGEST, getattr(model.config, "max_position_embeddings", LONGEST))
        last = tokenizer(text, add_special_tokens=False)["input_ids"][: longest - 1]
        if not last:
            return 0.0
        # One token at least stands before: of the first one nothing can be said.
        start = [tokenizer.bos_token_id or tokenizer.eos_token_id or 0]
        ids = [*start, *first, *last][-longest:]
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids])).logits[0]
        told = torch.log_softmax(logits[-len(last) - 1 : -1].float(), dim=-1)
        own = told.gather(1, torch.tensor(ids[-len(last) :])[:, None])
        return float(own.mean().exp())

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return tokenizer_and_model(self._name, "causal language", "scorer")


@functools.cache
def loaded(name: str) -> Causal:
    """One of each name in a process."""
    return Causal(name)
