"""Quality: BM25, dense and fused through the library, beside bm25s and sentence-transformers.

A document's score is its best passage's. Not here: speed (searching.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks import measures, reference
from benchmarks.data import RetrievalSet
from benchmarks.ground import SETS, Ground
from benchmarks.measures import PerQuery, Run
from benchmarks.passages import Piece, best_documents, pieces, vectors

if TYPE_CHECKING:
    from pipeline.library import Library

OURS = ("bm25", "dense", "fused")
DEPTH = 500  # passages read for 100 documents, as `pilotfish search --queries -k 100` does
BM25_BAR, DENSE_BAR = 0.01, 0.005
TORCH_DOCUMENTS = 1500


def measure(ground: Ground) -> dict[str, Any]:
    """Scores of each system on each set, the bars, and fused against the best single."""
    sets: dict[str, Any] = {}
    gains: dict[str, dict[str, PerQuery]] = {}
    for name in SETS:
        judged = ground.retrieval_set(name)
        library = ground.collection(name)
        found = pieces(library)
        scores = {system: run() for system, run in _systems(library, judged, found).items()}
        gains[name] = {system: measures.ndcg(run, judged.qrels) for system, run in scores.items()}
        sets[name] = {
            "documents": len(judged.corpus),
            "passages": len(found),
            "queries": len(judged.queries),
            "systems": {system: _row(run, judged) for system, run in scores.items()},
            "encoders": encoders(library, judged, found),
        }
    return {"sets": sets, **_verdict(sets, gains)}


def _systems(
    library: Library, judged: RetrievalSet, found: list[Piece]
) -> dict[str, Callable[[], Run]]:
    """Name -> function that ranks documents for every query."""
    texts, owners = [p.searched for p in found], [p.document for p in found]
    ids = [row["id"] for row in judged.corpus]
    lined = [f"{row['title']}\n{row['text']}" for row in judged.corpus]
    return {name: partial(library_run, library, name, judged.queries) for name in OURS} | {
        "bm25s, same passages": lambda: reference.bm25s_run(texts, owners, judged.queries),
        "bm25s, whole documents": lambda: reference.bm25s_run(lined, ids, judged.queries),
    }


def encoders(library: Library, judged: RetrievalSet, found: list[Piece]) -> dict[str, Any]:
    """nDCG@10 of our vectors and of torch's, both by exact cosine over the same passages.

    Torch takes a quarter of an hour for SciFact's 10,392 passages: of a large set the judged
    documents and others up to TORCH_DOCUMENTS are taken.
    """
    kept = judged_documents(judged, TORCH_DOCUMENTS)
    rows = [i for i, piece in enumerate(found) if piece.document in kept]
    owners = [found[i].document for i in rows]
    queries = list(judged.queries.values())
    pairs = {
        "ours": (vectors(library)[rows], library.encoder.encode(queries, kind="query")),
        "torch fp32": (
            reference.torch_vectors([found[i].searched for i in rows]),
            reference.torch_vectors(queries),
        ),
    }
    scores: dict[str, Any] = {"documents": len(kept), "passages": len(rows)}
    for name, (held, asked) in pairs.items():
        run = reference.nearest_run(held, asked, owners, list(judged.queries))
        scores[name] = round(measures.mean(measures.ndcg(run, judged.qrels)), 4)
    return scores


def judged_documents(judged: RetrievalSet, count: int) -> set[str]:
    """Every judged document, and others in the corpus' order, up to `count`."""
    wanted = {document for grades in judged.qrels.values() for document in grades}
    others = [row["id"] for row in judged.corpus if row["id"] not in wanted]
    return wanted | set(others[: max(0, count - len(wanted))])


def library_run(library: Library, retriever: str, queries: dict[str, str]) -> Run:
    """Documents for each query through the product's own steps."""
    from pilotfish.types import Question

    run = {}
    for query, text in queries.items():
        case = library.search(Question(text, query), retriever, DEPTH)
        owners = [passage.document for passage in case.passages]
        run[query] = best_documents(owners, range(len(owners)))
    return run


def _row(run: Run, judged: RetrievalSet) -> dict[str, float]:
    return {
        "ndcg@10": round(measures.mean(measures.ndcg(run, judged.qrels)), 4),
        "recall@10": round(measures.mean(measures.recall(run, judged.qrels, 10)), 4),
        "recall@100": round(measures.mean(measures.recall(run, judged.qrels, 100)), 4),
    }


def _verdict(sets: dict[str, Any], gains: dict[str, dict[str, PerQuery]]) -> dict[str, Any]:
    """Averages over the sets, differences to the references, and the bars."""
    systems = next(iter(sets.values()))["systems"]
    scores = {s: {n: float(sets[n]["systems"][s]["ndcg@10"]) for n in sets} for s in systems}
    average = {system: round(measures.mean(scores[system]), 4) for system in systems}
    lexical = _apart(scores["bm25"], scores["bm25s, same passages"])
    dense = {
        n: round(s["encoders"]["ours"] - s["encoders"]["torch fp32"], 4) for n, s in sets.items()
    }
    return {
        "average": average,
        "apart": {"bm25 - bm25s": lexical, "dense - torch": dense},
        "fused_against_best_single": _intervals(gains),
        "bars": {
            "fused above both on average": average["fused"] > average[_best(average)],
            f"bm25 within {BM25_BAR} of bm25s on each": _within(lexical, BM25_BAR),
            f"dense within {DENSE_BAR} of torch on each": _within(dense, DENSE_BAR),
        },
    }


def _apart(ours: dict[str, float], theirs: dict[str, float]) -> dict[str, float]:
    return {name: round(ours[name] - theirs[name], 4) for name in ours}


def _best(scores: dict[str, float]) -> str:
    """The better single retriever."""
    return max(("bm25", "dense"), key=scores.__getitem__)


def _within(values: dict[str, float], bar: float) -> bool:
    return all(abs(value) <= bar for value in values.values())


def _intervals(gains: dict[str, dict[str, PerQuery]]) -> dict[str, Any]:
    """Fused minus the better single retriever of each set, and of the average."""
    means = {n: {s: measures.mean(found[s]) for s in OURS} for n, found in gains.items()}
    best = {n: _best(means[n]) for n in gains}
    both = {s: sum(m[s] for m in means.values()) for s in ("bm25", "dense")}
    overall = _best(both)
    rows = {
        n: (best[n], [measures.differences(found["fused"], found[best[n]])])
        for n, found in gains.items()
    }
    whole = [measures.differences(found["fused"], found[overall]) for found in gains.values()]
    rows["average of the sets"] = (overall, whole)
    return {
        n: {"against": against, **_bounds(measures.interval(sets))}
        for n, (against, sets) in rows.items()
    }


def _bounds(found: tuple[float, float, float]) -> dict[str, float]:
    return {
        key: round(value, 4)
        for key, value in zip(("difference", "low", "high"), found, strict=True)
    }
