"""How likely each sentence of the passages holds the answer: a log-linear score of a few features.

The passage's rank, and the question's words in the sentence and in its title, each by its rarity
among these sentences (Sparck Jones 1972). With a cross-encoder also the share of its span head's
mass that falls into the sentence, and the passage's relevance: the reading that reranking made
already. Provence (arXiv 2501.16214) trains a head of its own for this. Weights are fitted by
`python -m benchmarks.judges.fit_pruning`. Not here: how many sentences are kept (prune.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from corpus.tokens import tokens
from models.pilot.reading import Reading, shown
from pilotfish.text import sentences
from pilotfish.types import Passage

FLOOR = 0.01  # the pilot never says less than this of a chance
Row = Mapping[str, float]
Weights = Mapping[str, float]
# Fitted on the questions of nq_oracle and xquad that the pilot is trained on.
RULES: Weights = {"rank": -1.34, "shared": 4.6, "title": 6.3}
# The same beside the pilot's readings, fitted on questions that it was not trained on.
READ: Weights = {"rank": -1.01, "shared": 1.37, "title": 2.07, "span": 0.68, "relevance": 0.49}


@dataclass(frozen=True, slots=True)
class Unit:
    """What is kept or dropped as one: a sentence of a text, all of a passage of another kind.

    place: of its passage in the given order; [start, end) are characters of that passage.
    """

    place: int
    start: int
    end: int
    text: str


def units(passages: Sequence[Passage]) -> list[Unit]:
    """The units of all passages, in order; white space between sentences belongs to none."""
    return [
        Unit(place, start, end, passage.text[start:end])
        for place, passage in enumerate(passages)
        for start, end in _spans(passage)
    ]


def _spans(passage: Passage) -> list[tuple[int, int]]:
    return sentences(passage.text) if passage.kind == "text" else [(0, len(passage.text))]


def features(
    question: str, passages: Sequence[Passage], found: Sequence[Unit], readings: Sequence[Reading]
) -> list[Row]:
    """One row a unit. readings: one a passage, or none at all, which leaves their features out."""
    near = [set(tokens(unit.text)) for unit in found]
    above = [set(tokens(" ".join((p.title, *p.place.heading)))) for p in passages]
    rarity = _rarity(question, near, above)
    masses = [_mass(passages[unit.place], unit, readings) for unit in found] if readings else []
    rows: list[Row] = []
    for number, unit in enumerate(found):
        row = {
            "rank": math.log2(unit.place + 1),
            "shared": _share(rarity, near[number]),
            "title": _share(rarity, above[unit.place]),
        }
        if readings:
            row["span"] = _above_floor(masses[number])
            row["relevance"] = _above_floor(readings[unit.place].helps)
        rows.append(row)
    return rows


def odds(rows: Iterable[Row], weights: Weights) -> list[float]:
    """The score of each row: log-odds up to a constant of the question."""
    return [sum(weight * row.get(name, 0.0) for name, weight in weights.items()) for row in rows]


def _above_floor(chance: float) -> float:
    """0 at FLOOR and below, 4.6 at certainty: logarithms add up where chances multiply."""
    return math.log(max(chance, FLOOR) / FLOOR)


def _rarity(question: str, near: Sequence[set[str]], above: Sequence[set[str]]) -> dict[str, float]:
    """Shares of the question's tokens that occur at all, the rare ones larger; they sum to 1."""
    held = Counter(token for some in near for token in some)
    titles: set[str] = set().union(*above)
    wanted = [t for t in dict.fromkeys(tokens(question)) if t in held or t in titles]
    count = len(near)
    weights = {t: math.log(1 + (count - held[t] + 0.5) / (held[t] + 0.5)) for t in wanted}
    total = sum(weights.values())
    return {token: weight / total for token, weight in weights.items()}


def _share(rarity: Mapping[str, float], there: set[str]) -> float:
    return sum(weight for token, weight in rarity.items() if token in there)


def _mass(passage: Passage, unit: Unit, readings: Sequence[Reading]) -> float:
    """P(the answer touches the unit), given its passage: among the read spans and "none"."""
    reading = readings[unit.place]
    shift = len(shown(passage.title, passage.text)) - len(passage.text)
    top = max([reading.null, *(logit for _, _, logit in reading.spans)])
    total = math.exp(reading.null - top)
    inside = 0.0
    for start, end, logit in reading.spans:
        weight = math.exp(logit - top)
        total += weight
        if start - shift < unit.end and end - shift > unit.start:
            inside += weight
    return inside / total
