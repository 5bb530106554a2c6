"""Questions with the places of their answers, and the ten passages that each retriever gives.

Over the end-to-end collection; questions whose passage was taken away there are left out. Not here:
what is kept of the passages (pruning.py), weights (fit_pruning.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from benchmarks import data
from benchmarks.ground import COMPLETE, QUICK_DOCUMENTS, QUICK_QUERIES, Ground, opened
from benchmarks.judges import endtoend
from models.pilot.reading import Judge, shown
from models.training import sources
from models.training.examples import held
from pilotfish.step import run
from pilotfish.types import Case, Passage, Question
from pipeline.library import Library
from retrievers.odds import Row, Unit, features, units
from retrievers.rerank import DEPTH, Rerank

PASSAGES = 10
Places = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and every place (document, start, end) where one of its answers stands."""

    set: str
    question: str
    places: Places
    held: bool

    def answered(self, passages: Sequence[Passage]) -> bool:
        """Whether one of the places lies whole within a passage."""
        return any(
            passage.document == document and passage.start <= start and end <= passage.end
            for passage in passages
            for document, start, end in self.places
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A question's ten passages, their sentences with tokens, and what is seen of each."""

    asked: Asked
    passages: tuple[Passage, ...]
    found: tuple[Unit, ...]
    sizes: tuple[int, ...]
    rows: tuple[Row, ...]

    @property
    def right(self) -> list[bool]:
        """Whether each sentence holds an answer whole."""
        whole = [self.passages[unit.place] for unit in self.found]
        return [
            any(p.document == document and p.start + u.start <= start and end <= p.start + u.end
                for document, start, end in self.asked.places)
            for p, u in zip(whole, self.found, strict=True)
        ]  # fmt: skip


def questions() -> Iterator[Asked]:
    """Of the two reading sets, and of 2wiki what is answered in the words of a gold passage."""
    for name in sources.READING:
        for row in sources.rows(f"reading/{name}"):
            spans = _spans(row["context"], row["answers"], row.get("answer_start"))
            places = tuple((endtoend.key(row["context"]), *span) for span in spans)
            yield Asked(name, row["question"], places, held(row["title"]))
    for row in sources.rows("multihop/2wiki"):
        answers = [a for a in row["answers"] if a.lower() not in {"yes", "no"}]
        gold = [p["text"] for p in row["passages"] if p["gold"]]
        places = tuple((endtoend.key(t), *span) for t in gold for span in _spans(t, answers, None))
        if places:
            yield Asked("2wiki", row["question"], places, held("2wiki " + row["id"]))


def _spans(text: str, answers: Sequence[str], start: int | None) -> list[tuple[int, int]]:
    if start is not None:
        return [(start, start + len(answers[0]))]
    return [
        found.span()
        for answer in answers
        for found in re.finditer(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE)
    ]


def collection(ground: Ground) -> tuple[Library, list[Asked]]:
    """The collection and all questions that it may answer; few of both when quick."""
    if not ground.quick:
        library, _ = endtoend.library(ground, "rules")
        _, gone = endtoend.questions()
        return library, [a for a in questions() if not any(d in gone for d, _, _ in a.places)]
    asked = [one for one in questions() if one.held][:: 450 // QUICK_QUERIES][:QUICK_QUERIES]
    wanted = {document for one in asked for document, _, _ in one.places}
    every = {key: {"id": key, "title": t, "text": text} for key, t, text in endtoend.passages()}
    others = islice((key for key in every if key not in wanted), QUICK_DOCUMENTS)
    place = ground.work / "collections" / "pruning"
    if not (place / COMPLETE).exists():
        rows = [every[key] for key in (*sorted(wanted), *others)]
        opened(place, create=True).add(
            [str(data.write(ground.work / "files" / "pruning.jsonl", rows))]
        )
        (place / COMPLETE).touch()
    return opened(place), asked


def listed(library: Library, one: Asked) -> tuple[Passage, ...]:
    """The passages that a reranker reads."""
    return run(library.retriever("fused", DEPTH), Case(Question(one.question))).passages


def seen(
    library: Library, one: Asked, ranked: tuple[Passage, ...], model: Judge | None
) -> Seen | None:
    """The first ten, in the model's order where there is one; None: the answer is not in them."""
    question = one.question
    if model is not None:
        again = Rerank(lambda case: Case(case.question, ranked), model, PASSAGES)
        ranked = again(Case(Question(question))).passages
    passages = ranked[:PASSAGES]
    if not one.answered(passages):
        return None
    found = units(passages)
    sizes = library.parts.count([unit.text for unit in found])
    readings = model(pairs(question, passages)) if model is not None else ()
    rows = features(question, passages, found, readings)
    return Seen(one, passages, tuple(found), tuple(sizes), tuple(rows))


def pairs(question: str, passages: Sequence[Passage]) -> list[tuple[str, str]]:
    return [(question, shown(passage.title, passage.text)) for passage in passages]


def told(found: Sequence[Any]) -> dict[str, int]:
    """How many questions of each set."""
    names = [one.asked.set for one in found]
    return {name: names.count(name) for name in dict.fromkeys(names)}
