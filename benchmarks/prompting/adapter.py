"""The query adapter: fitted to half of a set's questions, measured on the other; and unlabelled.

Fitted by the product (`tune search`), searched by the product. Whether it was kept is its own
test's word, which sees the first half alone. A set's questions share documents: how questions do
whose documents had no pair stands apart. Not here: rewriting (rewriting.py).
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import measures
from benchmarks.data import RetrievalSet
from benchmarks.ground import SETS, Ground
from benchmarks.measures import PerQuery
from benchmarks.retrieval import library_run
from pipeline.library import Library
from pipeline.search_tuning import forget, tune_search

RETRIEVERS = ("dense", "fused")
JUDGED = ("scifact", "2wiki")  # sets of the bar
Scores = dict[str, PerQuery]


def measure(here: Ground) -> dict[str, Any]:
    """Each set: unadapted, with labelled pairs, with pairs made from the collection."""
    sets = {name: _set(here, name) for name in SETS}
    bars = {f"{name}: above unadapted, or gated off": _fair(sets[name]) for name in JUDGED}
    return {"sets": sets, "bars": bars}


def _set(here: Ground, name: str) -> dict[str, Any]:
    judged, library = here.retrieval_set(name), here.collection(name)
    taught, asked = halves(list(judged.queries))
    forget(library)
    plain = scores(library, judged, asked)
    seen = {document for one in taught for document in judged.qrels[one]}
    apart = [one for one in asked if not seen & set(judged.qrels[one])]
    ways = {"labelled": pairs_file(here.work / "files" / f"pairs-{name}.jsonl", judged, taught),
            "made": None}  # fmt: skip
    found: dict[str, Any] = {"asked": len(asked), "apart": len(apart), "plain": _mean(plain)}
    for way, file in ways.items():
        told = tune_search(library, file)
        after = scores(library, judged, asked) if told["kept"] else plain
        forget(library)
        found[way] = told | {"ndcg@10": _mean(after), "gain": _gains(after, plain),
                             "documents without pairs": _gains(after, plain, apart)}  # fmt: skip
    return found


def halves(queries: Sequence[str], seed: int = 1) -> tuple[list[str], list[str]]:
    """To fit to, to ask."""
    drawn = list(queries)
    random.Random(seed).shuffle(drawn)
    return drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]


def pairs_file(path: Path, judged: RetrievalSet, queries: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"question": judged.queries[one], "document": document}
            for one in queries for document in judged.qrels[one]]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def scores(library: Library, judged: RetrievalSet, queries: Sequence[str]) -> Scores:
    """nDCG@10 of each question by each retriever."""
    texts = {one: judged.queries[one] for one in queries}
    grades = {one: judged.qrels[one] for one in queries}
    return {way: measures.ndcg(library_run(library, way, texts), grades) for way in RETRIEVERS}


def _mean(found: Scores) -> dict[str, float]:
    return {way: round(measures.mean(own), 4) for way, own in found.items()}


def _gains(after: Scores, plain: Scores, only: Sequence[str] | None = None) -> dict[str, Any]:
    """Mean difference and its 95 % paired interval, by retriever."""
    gained: dict[str, Any] = {}
    for way in RETRIEVERS:
        keep = only if only is not None else list(plain[way])
        if not keep:
            continue
        one, other = ({key: side[way][key] for key in keep} for side in (after, plain))
        found = measures.interval([measures.differences(one, other)])
        gained[way] = [round(value, 4) for value in found]
    return gained


def _fair(found: dict[str, Any]) -> bool:
    own = found["labelled"]
    return not own["kept"] or own["ndcg@10"]["dense"] > found["plain"]["dense"]
