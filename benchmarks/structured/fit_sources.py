"""Fits the source router (retrievers/router.json) and says what it is worth on sets left out.

    python -m benchmarks.structured.fit_sources [--write]

One collection has all four kinds: the passages of nq_oracle and xquad, tables of WikiTableQuestions
(dev: the tables' own weights never saw them), the graph of MetaQA, some pages of tldr. A kind is
right for a question when its evidence holds the answer: the gold passage is among its first ten,
the gold table is its best, the graph's first answer is right, the gold page is among its first
three. Fitted on half of the questions, measured on the other half; then each set of
reading is left out. Not here: what the router does with it (retrievers/router.py).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.data import Row, lines
from benchmarks.ground import COMPLETE, Ground, ground, opened
from models.auroc import auroc
from pilotfish.step import run
from pilotfish.types import Case, Passage, Question
from pipeline.library import Library
from pipeline.logistic import fit
from pipeline.wiring import router, sources
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse
from retrievers.router import FEATURES, KINDS
from retrievers.sources import LEAST

EACH, PAGES, OTHERS, SEED = 250, 500, 300, 21
HELD_BACK = 3.0  # strength of the penalty
TARGET = Path(__file__).resolve().parents[2] / "retrievers" / "router.json"
Holds = Callable[[Mapping[str, Sequence[Passage]]], set[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a set, and which kinds' evidence holds its answer, given what was found."""

    set: str
    text: str
    holds: Holds
    answers: tuple[str, ...]


def collection(here: Ground) -> Library:
    """All four kinds, added once for this code."""
    place = here.place("mixed")
    if not (place / COMPLETE).exists():
        shutil.rmtree(place, ignore_errors=True)
        library = opened(place, create=True)
        library.add([str(path) for path in _files(here)])
        (place / COMPLETE).touch()
    return opened(place)


def _files(here: Ground) -> Iterator[Path]:
    files = here.work / "files" / "mixed"
    files.mkdir(parents=True, exist_ok=True)
    texts = {row["context"]: row for name in ("nq_oracle", "xquad")
             for row in lines(here.data / "reading" / f"{name}.jsonl.gz")}  # fmt: skip
    yield data.write(files / "texts.jsonl", [
        {"id": f"t{n}", "title": row["title"], "text": text}
        for n, (text, row) in enumerate(texts.items())
    ])  # fmt: skip
    wanted = {row["table_id"] for row in lines(here.data / "tables" / "wtq_dev.jsonl.gz")}
    every = list(lines(here.data / "tables" / "wtq.tables.jsonl.gz"))
    others = [row for row in every if row["id"] not in wanted][:OTHERS]
    rows = [row for row in every if row["id"] in wanted] + others
    yield data.write(files / "wtq.tables.jsonl", rows)
    triples = files / "metaqa.triples.tsv"
    triples.write_bytes(gzip.decompress(
        (here.data / "graph" / "metaqa" / "triples.tsv.gz").read_bytes()))  # fmt: skip
    yield triples
    yield data.write(files / "pages.jsonl", _pages(here))


def _pages(here: Ground) -> list[Row]:
    """Pages that requests need, and as many others."""
    needed = {page for row in _requests(here) for page in row["page_ids"]}
    every = list(lines(here.data / "commands" / "pages.jsonl.gz"))
    others = [row for row in every if row["id"] not in needed]
    kept = random.Random(SEED).sample(others, max(0, PAGES - len(needed)))
    return [row for row in every if row["id"] in needed] + kept


def _requests(here: Ground) -> list[Row]:
    rows = [row for row in lines(here.data / "commands" / "nl2bash.jsonl.gz")
            if not row["command"].startswith("find")]  # fmt: skip
    return random.Random(SEED).sample(rows, EACH)


def questions(here: Ground) -> list[Asked]:
    """EACH questions a set, whose answers lie in one kind of source."""
    found: list[Asked] = []
    for name in ("nq_oracle", "xquad"):
        for row in _some(lines(here.data / "reading" / f"{name}.jsonl.gz")):
            found.append(Asked(name, row["question"], _text(row["context"]), tuple(row["answers"])))
    for row in _some(lines(here.data / "tables" / "wtq_dev.jsonl.gz")):
        found.append(
            Asked(
                "wtq",
                row["question"],
                _table(row["table_id"]),
                (", ".join(row["answers"]), *row["answers"]),
            )
        )
    for row in _some(lines(here.data / "graph" / "metaqa" / "questions.jsonl.gz")):
        found.append(
            Asked("metaqa", row["question"], _graph(set(row["answers"])), tuple(row["answers"]))
        )
    found += [Asked("nl2bash", row["text"], _pages_of(set(row["page_ids"])), (row["command"],))
              for row in _requests(here)]  # fmt: skip
    return found


def _some(rows: Sequence[Row]) -> list[Row]:
    return random.Random(SEED).sample(list(rows), EACH)


def _text(context: str) -> Holds:
    def holds(found: Mapping[str, Sequence[Passage]]) -> set[str]:
        return {"text"} if any(p.text in context for p in found["text"]) else set()

    return holds


def _table(table: str) -> Holds:
    def holds(found: Mapping[str, Sequence[Passage]]) -> set[str]:
        first = found["table"][:1]
        return {"table"} if first and first[0].document == table else set()

    return holds


def _graph(answers: set[str]) -> Holds:
    def holds(found: Mapping[str, Sequence[Passage]]) -> set[str]:
        ends = {end for p in found["triple"][:3] if p.place.triple for end in p.place.triple[::2]}
        return {"triple"} if ends & answers else set()

    return holds


def _pages_of(pages: set[str]) -> Holds:
    def holds(found: Mapping[str, Sequence[Passage]]) -> set[str]:
        first = list(dict.fromkeys(p.document for p in found["manual"]))[:3]
        return {"manual"} if pages & set(first) else set()

    return holds


def gathered(here: Ground) -> list[dict[str, Any]]:
    """One row a question: its set, each kind's figures, which kinds hold the answer."""
    library = collection(here)
    parts = library.parts
    text = Fuse((BM25(parts.shelf), Dense(parts.shelf)), k=10)
    asks, route = sources(parts, text, 10), router(parts)
    made = []
    for one in questions(here):
        found = {kind: run(step, Case(Question(one.text))).passages
                 for kind, step in asks.steps.items()}  # fmt: skip
        figures = route.figures(one.text, found)
        made.append({"set": one.set, "question": one.text, "figures": figures,
                     "holds": sorted(one.holds(found))})  # fmt: skip
    return made


def fitted(rows: Sequence[dict[str, Any]], kinds: Sequence[str]) -> dict[str, Any]:
    """One logistic for these kinds over raw figures."""
    designs, rights = zip(*(_design(rows, kind) for kind in kinds), strict=True)
    design, right = np.vstack(designs), np.concatenate(rights)
    middle, spread = design.mean(axis=0), design.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    found = fit((design - middle) / spread, right, HELD_BACK)
    own = found[:-1] / spread
    return {
        "bias": float(found[-1] - own @ middle),
        "weights": {name: float(w) for name, w in zip(FEATURES, own, strict=True)},
    }


def _design(rows: Sequence[dict[str, Any]], kind: str) -> tuple[Any, Any]:
    """(figures, whether the kind holds the answer) of the rows in which the kind found anything."""
    some = [row for row in rows if row["figures"].get(kind)]
    design = np.array([[row["figures"][kind][name] for name in FEATURES] for row in some])
    return design.reshape(-1, len(FEATURES)), np.array(
        [kind in row["holds"] for row in some], float
    )


def judged(rows: Sequence[dict[str, Any]], kinds: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """How often the likeliest kind holds the answer, of questions that one does; AUROC a kind."""
    said = [chances(row, kinds) for row in rows]
    some = [(row, one) for row, one in zip(rows, said, strict=True) if row["holds"]]
    right = [max(one, key=one.__getitem__) in row["holds"] for row, one in some]
    kept = [any(one[kind] >= LEAST for kind in row["holds"]) for row, one in some]
    dropped = [sum(0 < p < LEAST for p in one.values()) for one in said]
    return {
        "questions": len(rows), "some kind holds": len(some),
        "likeliest holds": round(float(np.mean(right)), 4) if some else None,
        "kept": round(float(np.mean(kept)), 4) if some else None,
        "left out": round(float(np.mean(dropped)), 3),
        "AUROC": {kind: round(auroc(*_told(rows, said, kind)), 4) for kind in KINDS
                  if len(set(_told(rows, said, kind)[0].tolist())) > 1},
    }  # fmt: skip


def _told(rows: Sequence[dict[str, Any]], said: Sequence[dict[str, float]], kind: str) -> Any:
    return (np.array([kind in row["holds"] for row in rows]), np.array([one[kind] for one in said]))


def chances(row: dict[str, Any], kinds: Mapping[str, dict[str, Any]]) -> dict[str, float]:
    """kind -> P, by these logistics."""
    found = {}
    for kind in KINDS:
        figures = row["figures"].get(kind)
        if not figures:
            found[kind] = 0.0
            continue
        one = kinds[kind]
        odds = one["bias"] + sum(one["weights"][name] * figures[name] for name in FEATURES)
        found[kind] = float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))
    return found


def measured(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """On the half that was not fitted to, and on each set that was left out; beside always text.

    Only text has two sets: a kind whose only set is left out cannot be learned.
    """
    one, other = rows[::2], rows[1::2]
    holding = [row for row in other if row["holds"]]
    return {
        "held out half": judged(other, _kinds(one)),
        "always text": round(float(np.mean(["text" in row["holds"] for row in holding])), 4),
        "left out": {
            name: judged([r for r in rows if r["set"] == name],
                         _kinds([r for r in rows if r["set"] != name]))
            for name in ("nq_oracle", "xquad")
        },
    }  # fmt: skip


def _kinds(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """A logistic a kind, drawn half way to the one that all kinds share: most kinds are known from
    one set of questions, whose wording is not to be taken for the kind's.
    """
    shared = fitted(rows, KINDS)
    return {kind: _between(fitted(rows, (kind,)), shared) for kind in KINDS}


def _between(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        "bias": round((one["bias"] + other["bias"]) / 2, 4),
        "weights": {name: round((one["weights"][name] + other["weights"][name]) / 2, 4)
                    for name in FEATURES},
    }  # fmt: skip


def main() -> None:
    """Gather, fit, say; with --write also keep the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write retrievers/router.json")
    parser.add_argument("--rows", type=Path, help="keep the gathered rows there, or read them")
    options = parser.parse_args()
    if options.rows and options.rows.exists():
        rows = json.loads(options.rows.read_text(encoding="utf-8"))
    else:
        rows = gathered(ground(False))
    if options.rows and not options.rows.exists():
        options.rows.write_text(json.dumps(rows), encoding="utf-8")
    told = measured(rows)
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    if options.write:
        kept = {"fitted by": "python -m benchmarks.structured.fit_sources --write",
                "rows": len(rows), "measured": told, "kinds": _kinds(rows)}  # fmt: skip
        TARGET.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
