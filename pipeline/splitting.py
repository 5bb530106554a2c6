"""How a collection cuts its documents into passages, by the settings. Not here: cutting."""

from __future__ import annotations

from corpus.split import Splitter
from models.encoder import Encoder
from pilotfish.settings import Settings
from store.collections import Collection


def splitter(settings: Settings, collection: Collection, encoder: Encoder) -> Splitter:
    """Our own splitter, or LlamaIndex's, in tokens of the collection's encoder."""
    rows = settings.limits.table_row_passages
    budget, count = collection.split_tokens, encoder.count
    if settings.splitter == "llama-index":
        from corpus.llama_split import llama_spans

        return Splitter(count, budget, rows, llama_spans(budget, count))
    return Splitter(count, budget, rows)
