"""Multi-hop questions among single-hop ones: passages found, answers without an LLM.

2Wiki's corpus and the passages of Natural Questions lie together. Plain retrieval against the
recipe `multihop`, over the half of the questions that no weight of decomposition was fitted to, and
over all; the answers of `default` and `multihop` beside each other; single-hop questions must lose
nothing. The shipped cross-encoder, which reads the hops, has seen four fifths of 2Wiki's documents
in training: the fifth that it has not seen stands apart. Not here: fitting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.data import Row, lines, write
from benchmarks.ground import COMPLETE, Ground, opened
from benchmarks.prompting.fit_decomposition import fitted
from models.training.examples import held
from pilotfish.types import Case, Question
from pipeline.evaluation.scores import f1, words
from pipeline.library import Library

FIRST = (5, 10)
ANSWERED, SINGLE = 200, 300  # questions
DEPTH = 30  # passages, before those of one document count once
BAR = 0.5  # support from which an answer is given
GAIN, ANSWER_GAIN, HARM = 0.15, 0.05, 0.01


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the documents that all must be found, and what is right."""

    text: str
    gold: frozenset[str]
    answers: tuple[str, ...]
    kind: str
    seen: bool  # by the cross-encoder's training


def measure(here: Ground) -> dict[str, Any]:
    """Recall of both ways, answers of both recipes, single-hop questions, and the bars."""
    library = union(here)
    multi, single = questions(here), singles(here)
    mine = [one for one in multi if not fitted(one.text)]
    most = 20 if here.quick else None
    found = {name: recall(library, some[:most]) for name, some in (
        ("held out", mine), ("fitted", [one for one in multi if fitted(one.text)]),
        ("held out, unseen by the cross-encoder", [one for one in mine if not one.seen]),
    )}  # fmt: skip
    alone = recall(library, single[: most or SINGLE])
    answers = answered(library, mine[: most or ANSWERED])
    own = found["held out"]
    bars = {
        f"all gold passages in the first 10: at least +{GAIN}":
            own["multihop"]["10"] >= own["fused"]["10"] + GAIN,
        f"single-hop questions: not over {HARM} less in the first 10":
            alone["multihop"]["10"] >= alone["single"]["10"] - HARM,
        f"answers without an LLM: F1 at least +{ANSWER_GAIN}":
            answers["multihop"]["f1"] >= answers["single"]["f1"] + ANSWER_GAIN,
    }  # fmt: skip
    return {"recall": found, "single": alone, "answers": answers, "bars": bars}


def union(here: Ground) -> Library:
    """Both corpora in one collection, added once for this code."""
    place = here.place("2wiki-nq")
    if not (place / COMPLETE).exists():
        library = opened(place, create=True)
        library.add([str(write(here.work / "files" / "2wiki-nq.jsonl", documents(here)))])
        (place / COMPLETE).touch()
    return opened(place)


def documents(here: Ground) -> list[Row]:
    """2Wiki's passages, then each distinct passage of Natural Questions."""
    rows = {row["id"]: row for row in here.retrieval_set("2wiki").corpus}
    for row in lines(here.data / "reading" / "nq_oracle.jsonl.gz")[: 200 if here.quick else None]:
        own = {"id": key_of(row), "title": row["title"], "text": row["context"]}
        rows.setdefault(own["id"], own)
    return list(rows.values())


def key_of(row: Row) -> str:
    """A name of a Natural Questions passage: the first question that has it says the same."""
    from hashlib import sha256

    return "nq-" + sha256(f"{row['title']}\0{row['context']}".encode()).hexdigest()[:16]


def questions(here: Ground) -> list[Asked]:
    """2Wiki's, with all gold documents."""
    found = here.retrieval_set("2wiki")
    rows = {row["id"]: row for row in lines(here.data / "multihop" / "2wiki.jsonl.gz")}
    return [
        Asked(text, frozenset(found.qrels[own]), tuple(rows[own]["answers"]), rows[own]["type"],
              not held(f"2wiki {own}"))
        for own, text in found.queries.items()
    ]  # fmt: skip


def singles(here: Ground) -> list[Asked]:
    """Natural Questions of the half that no weight was fitted to."""
    rows = lines(here.data / "reading" / "nq_oracle.jsonl.gz")[: 200 if here.quick else None]
    return [Asked(row["question"], frozenset({key_of(row)}), tuple(row["answers"]), "single", True)
            for row in rows if not fitted(row["question"])]  # fmt: skip


def recall(library: Library, asked: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """Share of questions with all gold documents among the first; ms a question."""
    ways: dict[str, Callable[[Question], Case]] = {
        "fused": lambda one: library.search(one, "fused", DEPTH),
        "single": lambda one: library.search(one, k=DEPTH, recipe="single"),
        "multihop": lambda one: library.search(one, k=DEPTH, recipe="multihop"),
    }
    return {name: _recall(way, asked) for name, way in ways.items()}


def _recall(way: Callable[[Question], Case], asked: Sequence[Asked]) -> dict[str, float]:
    if not asked:
        return {"count": 0}
    start = time.perf_counter()
    ranked = [list(dict.fromkeys(p.document for p in way(Question(one.text)).passages))
              for one in asked]  # fmt: skip
    seconds = time.perf_counter() - start
    hit = {str(k): fmean(one.gold <= set(ids[:k]) for one, ids in zip(asked, ranked, strict=True))
           for k in FIRST}  # fmt: skip
    return {"count": len(asked), "ms": round(seconds / len(asked) * 1000, 1)} | {
        k: round(v, 4) for k, v in hit.items()
    }


def answered(library: Library, asked: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """What both recipes answer: whatever they think of (F1, exact), and what they stand by."""
    return {name: scored([told(library, one, name) for one in asked], asked)
            for name in ("single", "multihop")}  # fmt: skip


def told(library: Library, one: Asked, recipe: str) -> Case:
    """Asked with the bar at nothing, so that an answer that would be withheld can be scored too."""
    settings = library.settings.model_copy(update={"abstain_below": 0.0})
    return library.ask(Question(one.text), recipe, settings=settings)


def grades(said: str, answers: Sequence[str]) -> tuple[float, float]:
    """Best token F1 and exactness over the right answers."""
    form = words(said)
    best = max((f1(form, words(one)) for one in answers), default=0.0)
    return best, float(any(form == words(one) for one in answers))


def scored(cases: Sequence[Case], asked: Sequence[Asked]) -> dict[str, float]:
    """F1 and exactness of all answers; how many are given at the usual bar, and how good."""
    rows = []
    for case, one in zip(cases, asked, strict=True):
        answer = case.answer
        text = answer.text if answer and not answer.abstained else ""
        given = bool(text and answer and (answer.support or 0.0) >= BAR)
        rows.append((*grades(text, one.answers), given, bool(answer and answer.citations)))
    sure = [row for row in rows if row[2]]
    return {
        "count": len(rows), "f1": round(fmean(r[0] for r in rows), 4),
        "exact": round(fmean(r[1] for r in rows), 4),
        "given": round(fmean(r[2] for r in rows), 4),
        "f1 counting what is withheld as nothing": round(fmean(r[0] * r[2] for r in rows), 4),
        "f1 of the given": round(fmean(r[0] for r in sure), 4) if sure else 0.0,
        "cited": round(fmean(r[3] for r in rows), 4),
    }  # fmt: skip
