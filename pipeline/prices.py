"""What a model's tokens cost: our own dated table (prices.json), then LiteLLM's map.

Ours comes first since LiteLLM's changes with its version and bills cached tokens wrongly in
places. A model that neither knows has no price: None, never 0. Not here: prices above
200,000 prompt tokens, cache writes, batch discounts, and the reading of usage numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens. `source` says which table it is from, and as of when."""

    input: float
    cached: float
    output: float
    source: str

    def cost(self, prompt: int, completion: int, cached: int = 0) -> float:
        """USD; `cached` of the prompt's tokens were read from the provider's cache."""
        cached = max(0, min(cached, prompt))
        micro = (prompt - cached) * self.input + cached * self.cached + completion * self.output
        return round(micro / 1_000_000, 12)


def find(model: str, fallback: Mapping[str, Any] | None = None) -> Price | None:
    """The price of a LiteLLM model name; `fallback` is LiteLLM's own map."""
    table = _table()
    row = table["models"].get(_full(model))
    if row is not None:
        source = f"pilotfish {table['as_of']}"
        return Price(row["input"], row["cached_input"], row["output"], source)
    return _theirs(model, fallback or {})


def _full(model: str) -> str:
    """'gpt-4o' -> 'openai/gpt-4o', when our table has exactly one such name."""
    if "/" in model:
        return model
    names = [name for name in _table()["models"] if name.partition("/")[2] == model]
    return names[0] if len(names) == 1 else model


def _theirs(model: str, fallback: Mapping[str, Any]) -> Price | None:
    row = fallback.get(model)
    if row is None:
        provider, _, bare = model.partition("/")
        row = fallback.get(bare, {})
        if row.get("litellm_provider") != provider:
            return None
    read, write = row.get("input_cost_per_token"), row.get("output_cost_per_token")
    if read is None or write is None or not (read or write):
        return None  # its map says 0 where it means that nobody knows
    cached = row.get("cache_read_input_token_cost")
    cached = read if cached is None else cached
    return Price(read * 1e6, cached * 1e6, write * 1e6, "litellm")


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE.read_text())
    return table
