"""nDCG@10 of the reranker over fused retrieval on the three development sets, and its cost.

Queries whose documents were held out from training, beside all queries; the model's order alone
is the baseline of the blend. Not here: retrieval itself (benchmarks/retrieval.py).
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks import measures
from benchmarks.data import RetrievalSet
from benchmarks.ground import SETS, Ground
from benchmarks.passages import best_documents
from models.pilot.chosen import chosen
from models.pilot.reading import Judge, shown
from models.training.examples import held
from pilotfish.step import run
from pilotfish.types import Case, Passage, Question
from pipeline.library import Library
from retrievers.rerank import DEPTH, WEIGHT, blended

GAIN_BAR, LOSS_BAR, DOCUMENTS = 0.02, 0.005, 10
WEIGHTS = (0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0)


def measure(ground: Ground) -> dict[str, Any]:
    """nDCG@10 by set and weight of the model."""
    model = chosen("pilot", "pilot")
    assert model is not None
    table: dict[str, Any] = {}
    for name in SETS:
        judged = ground.retrieval_set(name)
        table[name] = one_set(ground.collection(name), judged, unseen(name, judged), model)
    return summed(table)


def summed(table: dict[str, Any]) -> dict[str, Any]:
    """The sets' scores, the mean gain on unseen queries at the shipped weight, the bars."""
    key = str(WEIGHT)
    gains = [row["unseen"][key] - row["unseen"]["0.0"] for row in table.values()]
    return {
        "sets": table, "weight": WEIGHT, "mean gain": round(float(np.mean(gains)), 4),
        "bars": {
            f"at least {GAIN_BAR} above fused on average": float(np.mean(gains)) >= GAIN_BAR,
            f"no set more than {LOSS_BAR} below fused": min(gains) >= -LOSS_BAR,
        },
    }  # fmt: skip


def unseen(name: str, judged: RetrievalSet) -> set[str]:
    """Queries that training did not see: all their documents, or the question, are held out."""
    if name == "cranfield":
        return set(judged.qrels)
    if name == "2wiki":
        return {query for query in judged.qrels if held("2wiki " + query)}
    return {q for q, grades in judged.qrels.items() if all(held(document) for document in grades)}


def one_set(
    library: Library, judged: RetrievalSet, fresh: set[str], model: Judge
) -> dict[str, Any]:
    """Scores of one set, of all queries and of the unseen ones, and milliseconds a query."""
    runs: dict[float, dict[str, list[str]]] = {weight: {} for weight in WEIGHTS}
    seconds = []
    for query, text in judged.queries.items():
        case = run(library.retriever("fused", 50), Case(Question(text, query)))
        begun = time.perf_counter()
        readings = model(
            [(text, shown(passage.title, passage.text)) for passage in case.passages[:DEPTH]]
        )
        seconds.append(time.perf_counter() - begun)
        scores = [passage.score for passage in case.passages[:DEPTH]]
        for weight in WEIGHTS:
            order = blended([one.relevance for one in readings], scores, weight)
            runs[weight][query] = _documents(case.passages, order)
    some = {query: grades for query, grades in judged.qrels.items() if query in fresh}
    return {
        "queries": len(judged.queries), "unseen queries": len(some),
        "all": {str(w): _score(found, judged.qrels) for w, found in runs.items()},
        "unseen": {str(w): _score(found, some) for w, found in runs.items()},
        "milliseconds": round(1000 * float(np.median(seconds)), 1),
    }  # fmt: skip


def _documents(passages: tuple[Passage, ...], order: list[int]) -> list[str]:
    moved = [passages[place] for place in order] + list(passages[DEPTH:])
    owners = [passage.document for passage in moved]
    return list(best_documents(owners, range(len(owners))))


def _score(found: dict[str, list[str]], qrels: Any) -> float:
    return round(measures.mean(measures.ndcg(found, qrels)), 4)
