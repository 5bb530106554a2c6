"""Hard negatives: passages that BM25 and the encoder rank high for a question they do not answer.

Ranks are fused as in retrieval, so that the reranker learns on what it will see. Not here: what
is served (retrievers/); this small BM25 only proposes.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoder import Encoder
from models.premise import premise, stems
from models.training import sources
from models.training.examples import NO_ANSWER, Example, held

DEPTH, K = 30, 60
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the keys of its gold passages, and strings that no negative may hold."""

    text: str
    gold: frozenset[str]
    answers: tuple[str, ...]
    source: str
    held: bool


def negatives(work: Path, per: int, rng: random.Random) -> Iterator[Example]:
    """`per` negatives a question out of its fused first DEPTH; SciFact's positives too."""
    for name, passages, asked in (reading_pool(), scifact_pool()):
        keys, texts = list(passages), list(passages.values())
        ranking = ranked(work / f"{name}-ranks.json", [a.text for a in asked], texts)
        for one, order in zip(asked, ranking, strict=True):
            if name == "scifact":
                for key in one.gold:
                    text = premise(one.text, passages[key])
                    yield Example(one.text, text, "scifact search", 1.0, None, None, one.held)
            wrong = [place for place in order if is_wrong(one, keys[place], texts[place])]
            for place in rng.sample(wrong[:20], min(per, len(wrong[:20]))):
                span = NO_ANSWER if one.answers else None
                text = premise(one.text, texts[place])
                yield Example(one.text, text, f"{one.source} negative", 0.0, None, span, one.held)


def is_wrong(one: Asked, key: str, text: str) -> bool:
    low = text.lower()
    return key not in one.gold and not any(answer.lower() in low for answer in one.answers)


def reading_pool() -> tuple[str, dict[str, str], list[Asked]]:
    """All passages of NQ, XQuAD and 2Wiki as one collection, and their questions."""
    passages: dict[str, str] = {}
    asked: list[Asked] = []
    for name in sources.READING:
        for row in sources.rows(f"reading/{name}"):
            passages.setdefault(row["context"], row["context"])
            asked.append(Asked(row["question"], frozenset([row["context"]]),
                               tuple(row["answers"]), name, held(row["title"])))  # fmt: skip
    for row in sources.rows("multihop/2wiki"):
        texts = [sources.titled(p["title"], p["text"]) for p in row["passages"]]
        passages.update({text: text for text in texts})
        gold = frozenset(t for t, p in zip(texts, row["passages"], strict=True) if p["gold"])
        plain = [a for a in row["answers"] if a.lower() not in {"yes", "no"}]
        asked.append(Asked(row["question"], gold, tuple(plain), "2wiki",
                           held("2wiki " + row["id"])))  # fmt: skip
    return "reading", passages, asked


def scifact_pool() -> tuple[str, dict[str, str], list[Asked]]:
    """SciFact's abstracts and claims."""
    passages = {row["id"]: sources.titled(row["title"], row["text"])
                for row in sources.rows("retrieval/scifact/corpus")}  # fmt: skip
    gold: dict[str, set[str]] = defaultdict(set)
    file = sources.data_root() / "retrieval" / "scifact" / "qrels.tsv"
    for line in file.read_text(encoding="utf-8").splitlines():
        query, document, _ = line.split("\t")
        gold[query].add(document)
    asked = []
    for row in sources.rows("retrieval/scifact/queries"):
        sides = [held(document) for document in sorted(gold[row["id"]])]
        if sides and (all(sides) or not any(sides)):  # a claim over both sides teaches neither
            asked.append(Asked(row["text"], frozenset(gold[row["id"]]), (), "scifact", sides[0]))
    return "scifact", passages, asked


def ranked(cache: Path, queries: Sequence[str], texts: Sequence[str]) -> list[list[int]]:
    digest = hashlib.sha256(json.dumps([list(queries), list(texts)]).encode()).hexdigest()
    if cache.exists():
        kept = json.loads(cache.read_text(encoding="utf-8"))
        if kept["digest"] == digest:
            return list(kept["ranks"])
    encoder = Encoder()
    dense = encoder.encode(queries, kind="query") @ encoder.encode(texts).T
    lexical = bm25(queries, texts)
    ranks = [
        _fused([list(np.argsort(-row)[:100]), first])
        for row, first in zip(dense, lexical, strict=True)
    ]
    cache.write_text(json.dumps({"digest": digest, "ranks": ranks}), encoding="utf-8")
    return ranks


def _fused(lists: Sequence[Sequence[int]]) -> list[int]:
    scores: dict[int, float] = defaultdict(float)
    for ranked in lists:
        for rank, place in enumerate(ranked):
            scores[int(place)] += 1 / (K + rank + 1)
    return sorted(scores, key=lambda place: -scores[place])[:DEPTH]


def bm25(queries: Sequence[str], texts: Sequence[str], depth: int = 100) -> list[list[int]]:
    """First `depth` of each query by BM25 (k1 1.2, b 0.75) over six-letter stems."""
    bags = [stems(text) for text in texts]
    lengths = [len(text.split()) for text in texts]
    mean = sum(lengths) / len(lengths)
    postings: dict[str, list[int]] = defaultdict(list)
    for place, bag in enumerate(bags):
        for stem in bag:
            postings[stem].append(place)
    found = []
    for query in queries:
        scores: dict[int, float] = defaultdict(float)
        for stem in stems(query):
            places = postings.get(stem, ())
            idf = math.log(1 + (len(texts) - len(places) + 0.5) / (len(places) + 0.5))
            for place in places:
                scores[place] += idf * 2.2 / (1 + 1.2 * (0.25 + 0.75 * lengths[place] / mean))
        found.append(sorted(scores, key=lambda place: -scores[place])[:depth])
    return found
