"""LlamaIndex's SentenceSplitter as a source of spans, for those who want its chunks.

Its pieces are located in the text by search, in order; one that it changed on the way (it
joins and strips white space) is widened to the stretch it came from, so that offsets stay
exact. Our own splitter is the default; benchmarks/splitting.py compares both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Spans = Callable[[str], list[tuple[int, int]]]


def llama_spans(budget: int, count: Callable[[Sequence[str]], list[int]]) -> Spans:
    """A function from text to (start, end) spans of at most about `budget` tokens."""
    from llama_index.core.node_parser import SentenceSplitter

    def tokens(text: str) -> list[int]:
        return [0] * count([text])[0]

    splitter = SentenceSplitter(
        chunk_size=budget, chunk_overlap=0, tokenizer=tokens, include_metadata=False
    )

    def spans(text: str) -> list[tuple[int, int]]:
        return located(text, splitter.split_text(text))

    return spans


def located(text: str, pieces: Sequence[str]) -> list[tuple[int, int]]:
    """Where each piece stands in the text, in order, never overlapping."""
    found: list[tuple[int, int]] = []
    at = 0
    for piece in pieces:
        start, end = _find(text, piece, at)
        if start < end:
            found.append((start, end))
            at = end
    return found


def _find(text: str, piece: str, at: int) -> tuple[int, int]:
    words = piece.split()
    if not words:
        return at, at
    # White space may have changed; the piece as it stands could also occur again further on.
    match = re.compile(r"\s*".join(map(re.escape, words))).search(text, at)
    if match:
        return match.span()
    start = max(text.find(words[0], at), at)
    end = start
    for word in words:
        place = text.find(word, end)
        end = place + len(word) if place >= 0 else end
    return start, end
