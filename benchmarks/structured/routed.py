"""Texts, tables, a graph and a manual in one collection, no LLM: routed, or all asked alike.

The questions of the half that the router was not fitted to (fit_sources.py). `likeliest holds`: the
kind that the router puts first holds the answer, of questions that some kind's evidence answers.
right, wrong: of all questions, what the recipe `single` answers. Beside it the same line without
the router: text first, then whatever else was found. Not here: fitting.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.structured.fit_sources import TARGET, Asked, collection, questions
from pilotfish.step import Step, run
from pilotfish.types import Case, Question
from pipeline.evaluation.scores import is_right
from pipeline.flow import Chain
from pipeline.library import Library
from pipeline.recipes import single
from pipeline.wiring import reranked, sources
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse

PASSAGES = 10
EACH = 50  # questions a set


def measure(here: Ground) -> dict[str, Any]:
    """Shares of right and wrong answers by set, with and without the router."""
    library, fitted = collection(here), json.loads(TARGET.read_text(encoding="utf-8"))
    asked = _asked(here, 4 if here.quick else EACH)
    told = {name: _told(_line(library, routed=name == "routed"), asked)
            for name in ("routed", "all alike")}  # fmt: skip
    fresh = fitted["measured"]["held out half"]
    return {
        "ways": told, "questions a set": len(asked) // 5, "router": fitted["measured"],
        "bars": {
            "the likeliest source holds the answer in 9 of 10": fresh["likeliest holds"] >= 0.9,
            "routed: no more wrong answers than all alike":
                told["routed"]["all"]["wrong"] <= told["all alike"]["all"]["wrong"],
        },
    }  # fmt: skip


def _asked(here: Ground, each: int) -> list[Asked]:
    """The first of each set's half that the router did not see."""
    rows = [one for n, one in enumerate(questions(here)) if n % 2]
    return [one for name in sorted({row.set for row in rows})
            for one in [row for row in rows if row.set == name][:each]]  # fmt: skip


def _line(library: Library, *, routed: bool) -> Step:
    """The recipe `single`, with its sources routed or all asked alike."""
    parts = library.parts
    line = single(parts, library.purse())
    assert isinstance(line, Chain)
    text = reranked(Fuse((BM25(parts.shelf), Dense(parts.shelf)), k=PASSAGES), parts, PASSAGES)
    first = sources(parts, text, PASSAGES)
    return Chain((first if routed else replace(first, route=None), *line.steps[1:]))


def _told(line: Step, asked: Sequence[Asked]) -> dict[str, Any]:
    found: dict[str, list[tuple[bool, bool]]] = {}
    begun = time.perf_counter()
    for one in asked:
        answer = run(line, Case(Question(one.text))).answer
        given = answer is not None and not answer.abstained
        said = (answer.values[0] if answer.values else answer.text) if answer and given else ""
        right = given and is_right(said, one.answers)
        found.setdefault(one.set, []).append((right, given and not right))
    seconds = (time.perf_counter() - begun) / max(1, len(asked))
    every = [pair for some in found.values() for pair in some]
    table = {name: _shares(some) for name, some in (*found.items(), ("all", every))}
    return table | {"ms a question": round(1000 * seconds, 1)}


def _shares(some: Sequence[tuple[bool, bool]]) -> dict[str, float]:
    right, wrong = np.array(some, dtype=float).mean(axis=0)
    return {"right": round(float(right), 4), "wrong": round(float(wrong), 4)}
