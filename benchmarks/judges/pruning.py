"""How many answers stay, in how many tokens, when sentences of the ten passages are dropped.

Held-out questions of nq_oracle and xquad (2wiki beside them) whose answer is in the ten. Kept means
that the gold passage's own answer span lies whole in a piece. Baselines: whole top passages, best
sentences by shared words, by cosine. Not here: retrieval, fitting (fit_pruning.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from benchmarks.judges import pruning_rows
from benchmarks.judges.fit_pruning import crossfitted, usable
from benchmarks.judges.pruning_rows import Asked, Seen
from models.pilot.reading import Judge
from models.training import sources
from pilotfish.step import run
from pilotfish.types import Case, Passage, Question
from pipeline.library import Library
from pipeline.parts import Parts
from prompters.render import Render
from retrievers.odds import READ, RULES, odds
from retrievers.prune import Prune, picked, pieces

KEPT_BAR, SHARE_BAR = 0.95, 0.25
SHARES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
WORDS = {"shared": 1.0, "title": 0.5}
SPANS = {"span": 1.0, "relevance": 1.0}
CROSSED = "fitted on the other half"
Score = Callable[[Seen], Sequence[float]]
Point = dict[str, float]


def measure(ground: Ground) -> dict[str, Any]:
    """The curve of each method, without and with the pilot, the bars, prompts and milliseconds."""
    library, every = pruning_rows.collection(ground)
    asked = [one for one in every if one.held]
    ranked = [pruning_rows.listed(library, one) for one in asked]
    model = usable()
    judges: dict[str, Judge | None] = {"rules": None} | ({"pilot": model} if model else {})
    table = {}
    for name, judge in judges.items():
        rows = [pruning_rows.seen(library, a, r, judge) for a, r in zip(asked, ranked, strict=True)]
        table[name] = _judged(library, [one for one in rows if one is not None], judge)
        table[name]["asked"] = len(asked)
    best = table["pilot" if model else "rules"]
    return {"judges": table, "pilot": model is not None, "bars": _bars(best)}


def _judged(library: Library, found: list[Seen], judge: Judge | None) -> dict[str, Any]:
    reading = [one for one in found if one.asked.set in sources.READING]
    methods = _methods(library, reading, judge)
    line = [_whole(reading, count) for count in range(1, pruning_rows.PASSAGES + 1)]
    curves = {
        name: [_point(reading, score, share) for share in SHARES] for name, score in methods.items()
    }
    for curve in curves.values():
        for point in curve:
            point["whole passages at equal tokens"] = _between(line, point["tokens"])
    ours = _weighed(READ if judge else RULES)  # as pipeline/wiring.py has it
    return {
        "answer in the ten": pruning_rows.told(found), "whole passages": line, "curves": curves,
        "by set": {name: _point([one for one in found if one.asked.set == name], ours, SHARE_BAR)
                   for name in pruning_rows.told(found)},
        "prompt": _prompts(library, found, judge),
        "milliseconds": _milliseconds(library, reading, judge),
    }  # fmt: skip


def _methods(library: Library, found: Sequence[Seen], judge: Judge | None) -> dict[str, Score]:
    made = {"shipped": _weighed(READ if judge else RULES), "shared words": _weighed(WORDS)}
    if judge is None:
        made["cosine"] = _cosines(library)
        return made
    made |= {"words and rank": _weighed(RULES), "span mass and relevance": _weighed(SPANS)}
    fitted = {one.asked: w for one, w in zip(found, crossfitted(found, list(READ)), strict=True)}
    made[CROSSED] = lambda one: odds(one.rows, fitted[one.asked])
    return made


def _weighed(weights: Mapping[str, float]) -> Score:
    return lambda one: odds(one.rows, weights)


def _cosines(library: Library) -> Score:
    """Of question and sentence after its title; each question's are made once."""
    known: dict[Asked, list[float]] = {}

    def score(one: Seen) -> list[float]:
        if one.asked not in known:
            titles = [one.passages[unit.place].title for unit in one.found]
            told = [f"{t}: {unit.text}" for t, unit in zip(titles, one.found, strict=True)]
            vectors = library.parts.embed([one.asked.question, *told])
            known[one.asked] = (vectors[1:] @ vectors[0]).tolist()
        return known[one.asked]

    return score


def _point(found: Sequence[Seen], score: Score, share: float) -> Point:
    """Share of the answers that are kept (with 95 % half-width) and of the tokens."""
    kept, tokens = [], []
    for one in found:
        numbers = picked(one.found, score(one), one.sizes, share * sum(one.sizes))
        kept.append(one.asked.answered(list(pieces(one.passages, one.found, numbers))))
        tokens.append(sum(one.sizes[number] for number in numbers) / sum(one.sizes))
    return _told(kept, tokens) | {"budget": share}


def _whole(found: Sequence[Seen], count: int) -> Point:
    """The same of the first `count` passages, whole."""
    kept = [one.asked.answered(one.passages[:count]) for one in found]
    tokens = [
        sum(size for unit, size in zip(one.found, one.sizes, strict=True) if unit.place < count)
        / sum(one.sizes)
        for one in found
    ]
    return _told(kept, tokens) | {"passages": count}


def _told(kept: Sequence[bool], tokens: Sequence[float]) -> Point:
    if not kept:
        return {"kept": 0.0, "tokens": 0.0, "questions": 0}
    mean = float(np.mean(kept))
    half = 1.96 * float(np.sqrt(mean * (1 - mean) / len(kept)))
    return {
        "kept": round(mean, 4), "half-width": round(half, 4),
        "tokens": round(float(np.mean(tokens)), 4), "questions": len(kept),
    }  # fmt: skip


def _between(line: Sequence[Point], tokens: float) -> float:
    """What whole passages keep at that share of tokens, between the two nearest counts."""
    xs = [0.0, *(point["tokens"] for point in line)]
    return round(float(np.interp(tokens, xs, [0.0, *(point["kept"] for point in line)])), 4)


def _bars(judged: dict[str, Any]) -> dict[str, bool]:
    """Of weights that have not seen the questions: those shipped with the pilot have."""
    curve = judged["curves"].get(CROSSED) or judged["curves"]["shipped"]
    (point,) = [p for p in curve if p["budget"] == SHARE_BAR]
    whole = point["whole passages at equal tokens"]
    return {
        f"{KEPT_BAR:.0%} of answer spans at no more than {SHARE_BAR:.0%} of the tokens":
            point["kept"] >= KEPT_BAR and point["tokens"] <= SHARE_BAR,
        "above whole top passages at equal tokens": point["kept"] > whole,
    }  # fmt: skip


def _prompts(library: Library, found: Sequence[Seen], judge: Judge | None) -> dict[str, float]:
    """Mean tokens of a whole prompt, instructions, titles and keys among them."""
    parts = library.parts
    prune = Prune(SHARE_BAR, parts.count, judge, READ if judge else RULES)
    cases = [Case(Question(one.asked.question), one.passages) for one in found]
    whole = float(np.mean([_tokens(parts, case) for case in cases]))
    cut = float(np.mean([_tokens(parts, run(prune, case)) for case in cases]))
    return {"whole": round(whole, 1), "pruned": round(cut, 1), "share": round(cut / whole, 4)}


def _tokens(parts: Parts, case: Case) -> int:
    prompt = run(Render(parts.secret, parts.count, 100_000), case).prompt
    return sum(parts.count([message.content for message in prompt.messages])) if prompt else 0


def _milliseconds(library: Library, found: Sequence[Seen], judge: Judge | None) -> Point:
    """Of the step itself, median; the pilot's readings are known from reranking, and cold."""
    prune = Prune(SHARE_BAR, library.parts.count, judge, READ if judge else RULES)
    made = {"step": [_timed(prune, one.asked.question, one.passages) for one in found]}
    if judge is not None:  # pairs that no one has read yet
        cold = [_timed(prune, one.asked.question + " ", one.passages) for one in found[:20]]
        made["step, passages not read yet"] = cold
    return {name: round(1000 * float(np.median(some)), 2) for name, some in made.items() if some}


def _timed(prune: Prune, question: str, passages: tuple[Passage, ...]) -> float:
    case = Case(Question(question), passages)
    begun = time.perf_counter()
    prune(case)
    return time.perf_counter() - begun
