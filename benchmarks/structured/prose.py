"""Edges read out of prose (corpus/edges.py): are they true, and does answering from them help?

multihop/2wiki's gold passages against its evidence triples, by halves: patterns were written while
looking at the first, the second was not looked at. Said: the extractor gives some object for a gold
subject and relation; right: the gold one. Then one collection of the second half's passages and of
Natural Questions, asked without an LLM: with edges of files alone (there are none), with those of
prose. Not here: graphs that files state (graphs.py).
"""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarks import data
from benchmarks.data import Row, lines
from benchmarks.ground import COMPLETE, Ground
from corpus.edges import with_edges
from corpus.parsed import Parsed
from pilotfish.settings import Settings
from pilotfish.types import Question
from pipeline.evaluation.scores import is_right
from pipeline.library import Library

ASKED = {"2wiki": 120, "nq": 80}
# Relations of ours that stand for one of theirs.
MEANT = {"parent": ("father", "mother"), "nationality": ("country of citizenship",)}


def measure(here: Ground) -> dict[str, Any]:
    """Precision and recall by half, sentences a second, right and wrong answers."""
    rows = list(lines(here.data / "multihop" / "2wiki.jsonl.gz"))
    halves = {"looked at": extracted(rows[::2]), "not looked at": extracted(rows[1::2])}
    answers = {way: answered(here, rows[1::2], way) for way in ("files", "prose")}
    wrong = {way: sum(one["wrong"] for one in found.values()) for way, found in answers.items()}
    return {
        "halves": halves, "answers": answers,
        "bars": {
            "edges of prose: 19 of 20 that can be checked are right":
                halves["not looked at"]["right where said"] >= 0.95,
            "edges of prose add no wrong answers": wrong["prose"] <= wrong["files"],
        },
    }  # fmt: skip


def extracted(rows: Sequence[Row]) -> dict[str, float]:
    """Against the evidence triples."""
    count: Counter[str] = Counter()
    begun = time.perf_counter()
    found = [_objects([p for p in row["passages"] if p["gold"]]) for row in rows]
    seconds = time.perf_counter() - begun
    texts = sum(p["gold"] for row in rows for p in row["passages"])
    for row, said in zip(rows, found, strict=True):
        for subject, relation, other in row["evidence_triples"]:
            given = said.get((plain(subject), relation), set())
            count["gold"] += 1
            count["said"] += bool(given)
            count["right"] += any(same(plain(other), one) for one in given)
    return {
        "gold": count["gold"], "found": round(count["right"] / count["gold"], 4),
        "right where said": round(count["right"] / max(1, count["said"]), 4),
        "passages a second": round(texts / seconds),
    }  # fmt: skip


def _objects(passages: Sequence[Row]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in passages:
        for edge in with_edges(Parsed(None, one["title"], one["text"], "text/plain")).triples:
            for relation in MEANT.get(edge.relation, (edge.relation,)):
                found[plain(edge.subject), relation].add(plain(edge.object))
    return found


def plain(text: str) -> str:
    """Without what stands in brackets, lower case, words alone."""
    bare = re.sub(r"\(.*?\)", "", text.lower())
    return re.sub(r"[^a-z0-9]+", " ", bare).strip()


def same(gold: str, said: str) -> bool:
    """Equal, or one within the other, or the same words."""
    return bool(said) and (gold in said or said in gold or set(gold.split()) == set(said.split()))


def answered(here: Ground, rows: Sequence[Row], way: str) -> dict[str, dict[str, float]]:
    """Right and wrong shares by set, without an LLM."""
    natural = list(lines(here.data / "reading" / "nq_oracle.jsonl.gz"))[:400]
    texts = {p["text"]: p["title"] for row in rows for p in row["passages"]}
    texts |= {row["context"]: row["title"] for row in natural}
    library = _library(here, texts, way)
    asked = {"2wiki": rows[: ASKED["2wiki"]], "nq": natural[: ASKED["nq"]]}
    return {
        name: _shares(library, some[:8] if here.quick else some) for name, some in asked.items()
    }


def _library(here: Ground, texts: dict[str, str], way: str) -> Library:
    place = here.place(f"prose-{way}")
    settings = Settings.model_validate({"workspace": place, "edges": way})
    if not (place / COMPLETE).exists():
        shutil.rmtree(place, ignore_errors=True)
        rows = [{"id": str(n), "title": title, "text": text}
                for n, (text, title) in enumerate(texts.items())]  # fmt: skip
        file = data.write(here.work / "files" / "prose.jsonl", rows)
        Library(settings, create=True).add([str(file)])
        (place / COMPLETE).touch()
    return Library(settings)


def _shares(library: Library, rows: Sequence[Row]) -> dict[str, float]:
    count: Counter[str] = Counter()
    for row in rows:
        answer = library.ask(Question(row["question"])).answer
        if answer is None or answer.abstained:
            continue
        said = answer.values[0] if answer.values else answer.text
        count["right" if is_right(said, row["answers"]) else "wrong"] += 1
        count["graph"] += answer.model == "graph"
    return {"asked": len(rows)} | {
        name: round(count[name] / len(rows), 4) for name in ("right", "wrong", "graph")
    }
