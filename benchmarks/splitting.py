"""Our splitter beside LlamaIndex's SentenceSplitter on SciFact: fit, exactness, quality, speed.

Quality is BM25's (bm25s for both, same tokens), so that only the cuts differ. Token counts
are the encoder's own on both sides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import measures, reference
from benchmarks.data import RetrievalSet, Row
from benchmarks.ground import Ground
from benchmarks.measures import median

ROUNDS, SPECIALS = 3, 2


@dataclass(frozen=True, slots=True)
class Part:
    """One passage: its text, its claimed place, and what would be searched."""

    document: int
    start: int | None
    end: int | None
    text: str
    searched: str


Split = Callable[[list[Row]], list[Part]]


def measure(ground: Ground) -> dict[str, Any]:
    """All splitters over the same documents, alternating rounds."""
    from models.encoder import Encoder

    judged, encoder = ground.retrieval_set("scifact"), Encoder()
    splits = _splitters(encoder, [row["title"] for row in judged.corpus])
    seconds: dict[str, list[float]] = {name: [] for name in splits}
    parts: dict[str, list[Part]] = {}
    for _ in range(ROUNDS):
        for name, split in splits.items():
            start = time.perf_counter()
            parts[name] = split(judged.corpus)
            seconds[name].append(time.perf_counter() - start)
    rows = {name: _row(parts[name], judged, encoder) for name in splits}
    for name, row in rows.items():
        row["seconds"] = round(median(seconds[name]), 2)
    ours = next(iter(rows.values()))
    return {
        "documents": len(judged.corpus),
        "splitters": rows,
        "bars": {
            "no passage of ours is longer than the encoder reads": ours["too long"] == 0.0,
            "every offset of ours is exact": ours["exact offsets"] == 1.0,
        },
    }


def _splitters(encoder: Any, titles: list[str]) -> dict[str, Split]:
    """Ours, LlamaIndex's with room matched in tokens, and LlamaIndex's as it comes."""
    budget = encoder.limit - SPECIALS
    room = budget - int(median(encoder.count(titles)))
    return {
        f"Pilotfish, {budget} tokens with the title": _ours(encoder, budget),
        f"SentenceSplitter, {room} tokens, overlap 0": _llama(encoder, room, 0),
        "SentenceSplitter, 1,024 tokens, overlap 200 (defaults)": _llama(encoder, 1024, 200),
    }


def _row(parts: list[Part], judged: RetrievalSet, encoder: Any) -> dict[str, Any]:
    counts = encoder.count([part.searched for part in parts])
    long = sum(count + SPECIALS > encoder.limit for count in counts)
    lost = sum(max(0, count + SPECIALS - encoder.limit) for count in counts)
    exact = sum(_exact(part, judged.corpus[part.document]["text"]) for part in parts)
    owners = [judged.corpus[part.document]["id"] for part in parts]
    run = reference.bm25s_run([part.searched for part in parts], owners, judged.queries)
    return {
        "passages": len(parts),
        "too long": round(long / len(parts), 4),
        "tokens never read": round(lost / sum(counts), 4),
        "exact offsets": round(exact / len(parts), 4),
        "bm25 ndcg@10": round(measures.mean(measures.ndcg(run, judged.qrels)), 4),
    }


def _exact(part: Part, text: str) -> bool:
    if part.start is None or part.end is None:
        return False
    return text[part.start : part.end] == part.text


def _ours(encoder: Any, budget: int) -> Split:
    from corpus.parsed import Parsed
    from corpus.split import Splitter

    splitter = Splitter(encoder.count, budget)

    def split(rows: list[Row]) -> list[Part]:
        found = []
        for number, row in enumerate(rows):
            parsed = Parsed(row["id"], row["title"], row["text"], "text/plain")
            for p in splitter(parsed).passages:
                searched = f"{p.context}\n{p.text}" if p.context else p.text
                found.append(Part(number, p.start, p.end, p.text, searched))
        return found

    return split


def _llama(encoder: Any, size: int, overlap: int) -> Split:
    """The title is searched with each chunk but does not count against its size."""
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.schema import Document

    def tokenizer(text: str) -> list[int]:
        return [0] * encoder.count([text])[0]

    splitter = SentenceSplitter(chunk_size=size, chunk_overlap=overlap, tokenizer=tokenizer)

    def split(rows: list[Row]) -> list[Part]:
        found = []
        for number, row in enumerate(rows):
            for node in splitter.get_nodes_from_documents([Document(text=row["text"])]):
                text = node.get_content()
                place = (getattr(node, "start_char_idx", None), getattr(node, "end_char_idx", None))
                found.append(Part(number, *place, text, f"{row['title']}\n{text}"))
        return found

    return split
